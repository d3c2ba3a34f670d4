import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";

import { type CommandKind, InstalledCommand, type Outcome, outcomeOf } from "./commands.ts";
import type { NetworkServer } from "./servers.ts";

/** OpenSSH's programs, and programs that use it, with a configuration that a command has written. */
export class OpenSsh {
  /** The path of the configuration. */
  readonly file: string;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(file: string, environment: NodeJS.ProcessEnv) {
    this.file = file;
    this.#environment = environment;
  }

  /** Logs a command in and has it write a configuration, in a directory below `homes`, which the caller removes. */
  static async configure(
    kind: CommandKind,
    { client }: Pick<NetworkServer, "client">,
    homes: string,
  ): Promise<OpenSsh> {
    const home = await mkdtemp(join(homes, "c-"));
    const command = await InstalledCommand.install(kind, home);
    const token = client.headers["Coder-Session-Token"] ?? "";
    await command.expect(["login", client.serverUrl, "--token", token]);
    const file = join(home, "ssh_config");
    await command.expect(["config-ssh", "--ssh-config-file", file, "--yes"]);
    return new OpenSsh(file, { ...command.environment, GIT_SSH_COMMAND: `ssh -F ${file}` });
  }

  /** Starts a program; the caller stops it. `ssh`, `scp` and `sftp` get the configuration. */
  start(
    program: string,
    words: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): ChildProcess {
    const first = ["ssh", "scp", "sftp"].includes(program) ? ["-F", this.file] : [];
    return spawn(program, [...first, ...words], {
      env: { ...this.#environment, ...environment },
      stdio: "pipe",
      detached: true,
    });
  }

  /** Runs a program until it exits. Throws when it does not exit in time. */
  run(
    program: string,
    words: readonly string[],
    input: string | Uint8Array = "",
  ): Promise<Outcome> {
    return outcomeOf(this.start(program, words), input);
  }

  /** Runs a program and returns its output. Throws with the output when it fails. */
  async expect(program: string, words: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, words, input);
    if (code === 0) return stdout;
    throw new Error(
      `${program} ${words.join(" ")} exited with ${String(code)}:\n${stdout}${stderr}`,
    );
  }
}
