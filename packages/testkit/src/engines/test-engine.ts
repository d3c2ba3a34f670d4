import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { packBox } from "./box-image.ts";

/*
 * Container engines for tests: daemons with separate directories, sockets and networks, which touch nothing of an engine
 * that the machine runs. They need root.
 */

/** An engine that serves Docker's API. Its owner disposes of it, which removes everything it had. */
export interface TestEngine extends AsyncDisposable {
  readonly name: "docker" | "podman";
  readonly socketPath: string;
  /** The image `box:1`: BusyBox without bash and without users but root. */
  readonly image: string;
  /** Runs Docker's command against it, and resolves to what it prints. */
  docker(args: readonly string[], options?: { readonly input?: Uint8Array }): Promise<string>;
  /** Ends the daemon at once, as a crash; containers of podman run on. */
  kill(): Promise<void>;
  /** Starts the daemon again. */
  start(): Promise<void>;
}

interface EnginePlan {
  readonly name: TestEngine["name"];
  /** Returns the command line of the daemon for its directory and its socket. */
  readonly command: (directory: string, socketPath: string) => readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** Files that keep a daemon from starting after it was killed. */
  readonly pidFiles: readonly string[];
  readonly environment: (directory: string) => Readonly<Record<string, string>>;
}

const startLimitMs = 60_000;
const pollMs = 50;

export async function openEngine(plan: EnginePlan): Promise<TestEngine> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-engine-"));
  const socketPath = join(directory, "engine.sock");
  for (const [name, content] of Object.entries(plan.files)) {
    await writeFile(join(directory, name), content);
  }
  let daemon: ChildProcess | undefined;
  const docker: TestEngine["docker"] = (args, { input } = {}) => runDocker(socketPath, args, input);
  const start = async (): Promise<void> => {
    for (const name of plan.pidFiles) await rm(join(directory, name), { force: true });
    daemon = await startDaemon(plan, directory, socketPath);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (daemon === undefined || daemon.exitCode !== null) return;
    const exited = once(daemon, "exit");
    daemon.kill(signal);
    await exited;
    daemon = undefined;
  };
  await start();
  await docker(["import", "-", "box:1"], { input: await packBox() });
  return {
    name: plan.name,
    socketPath,
    image: "box:1",
    docker,
    start,
    kill: () => end("SIGKILL"),
    [Symbol.asyncDispose]: async () => {
      if (daemon === undefined) await start();
      await removeAll(docker);
      await end("SIGTERM");
      await unmountBelow(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startDaemon(
  { name, command, environment }: EnginePlan,
  directory: string,
  socketPath: string,
): Promise<ChildProcess> {
  const [program = "", ...args] = command(directory, socketPath);
  const log = join(directory, "daemon.log");
  const daemon = spawn(
    "sh",
    ["-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log, program, ...args],
    {
      stdio: "ignore",
      env: { ...process.env, ...environment(directory) },
    },
  );
  const limit = AbortSignal.timeout(startLimitMs);
  while (!(await answers(socketPath))) {
    if (daemon.exitCode !== null || limit.aborted) {
      daemon.kill("SIGKILL");
      throw new Error(`${name} did not start:\n${(await readFile(log, "utf8")).slice(-4_000)}`);
    }
    await sleep(pollMs);
  }
  return daemon;
}

async function answers(socketPath: string): Promise<boolean> {
  const sent = request({ socketPath, path: "/_ping", timeout: 1_000 });
  sent.on("timeout", () => sent.destroy());
  sent.end();
  try {
    const [answer] = await once(sent, "response");
    answer.resume();
    return answer.statusCode === 200;
  } catch {
    return false; // Not yet.
  }
}

async function runDocker(
  socketPath: string,
  args: readonly string[],
  input: Uint8Array = new Uint8Array(),
): Promise<string> {
  const running = promisify(execFile)("docker", ["-H", `unix://${socketPath}`, ...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  // A command that fails at once does not read its input; its status says why.
  running.child.stdin?.on("error", () => undefined).end(input);
  return (await running).stdout;
}

/** Removes containers and networks, whose interfaces and rules would outlive the daemon. */
async function removeAll(docker: TestEngine["docker"]): Promise<void> {
  const lines = async (args: readonly string[]): Promise<readonly string[]> =>
    (await docker(args)).split("\n").filter((line) => line !== "");
  const containers = await lines(["ps", "-aq"]);
  if (containers.length > 0) await docker(["rm", "-f", ...containers]);
  const own = await lines(["network", "ls", "-q", "--filter", "label=slipway.kind"]);
  if (own.length > 0) await docker(["network", "rm", ...own]);
}

/** Unmounts what a killed daemon left. */
async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const below = mounts
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(directory));
  for (const path of below.toReversed()) {
    await promisify(execFile)("umount", ["--lazy", path]).catch(() => undefined);
  }
}
