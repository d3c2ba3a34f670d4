import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { agentEnvironment, agentProgram } from "@slipway/testkit";
import { buildArchive, type TestEngine } from "@slipway/testkit/engines";

/** A machine with an engine and the `devcontainer` command, on which an agent runs. Its opener disposes of it. */
export interface ContainerMachine extends AsyncDisposable {
  readonly home: string;
  /** Writes a file below the home directory. */
  write(path: string, content: string, mode?: number): Promise<void>;
  /** Makes a Git repository below the home directory, with the configuration of a dev container. */
  addProject(name: string, configuration: object): Promise<void>;
  startAgent(serverUrl: string, token: string): void;
  endAgent(signal: NodeJS.Signals): Promise<void>;
}

/** The program of the agent: from its archive, which runs anywhere, or the bundle of a clone. */
type Program = "archive" | "bundle";

export async function openContainerMachine(
  engine: TestEngine,
  program: Program = "archive",
): Promise<ContainerMachine> {
  const home = await mkdtemp(join(tmpdir(), "slipway-containers-"));
  const [file = "", ...words] = await installProgram(home, program);
  const cli = fileURLToPath(import.meta.resolve("@devcontainers/cli/devcontainer.js"));
  await mkdir(join(home, "bin"));
  await symlink(cli, join(home, "bin/devcontainer"));
  let agent: ChildProcess | undefined;
  const write: ContainerMachine["write"] = async (name, content, mode = 0o644) => {
    await mkdir(dirname(join(home, name)), { recursive: true });
    await writeFile(join(home, name), content, { mode });
  };
  const endAgent: ContainerMachine["endAgent"] = async (signal) => {
    if (agent === undefined) return;
    const exited = once(agent, "exit");
    agent.kill(signal);
    await exited;
    agent = undefined;
  };
  return {
    home,
    write,
    addProject: async (name, configuration) => {
      await promisify(execFile)("git", ["init", "-q", join(home, name)]);
      const text = JSON.stringify(configuration);
      await write(join(name, ".devcontainer/devcontainer.json"), text);
    },
    startAgent: (serverUrl, token) => {
      agent = spawn(file, words, {
        cwd: home,
        stdio: "ignore",
        env: agentEnvironment({
          serverUrl,
          token,
          home,
          environment: {
            PATH: `${home}/bin:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
            DOCKER_HOST: `unix://${engine.socketPath}`,
          },
        }),
      });
    },
    endAgent,
    [Symbol.asyncDispose]: async () => {
      await endAgent("SIGTERM");
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Returns the words that start the agent. */
async function installProgram(home: string, program: Program): Promise<readonly string[]> {
  if (program === "bundle") return [process.execPath, agentProgram];
  const { path } = await buildArchive();
  await promisify(execFile)("tar", ["xzf", path, "-C", home]);
  return [join(home, "slipway/bin/slipway"), "agent"];
}
