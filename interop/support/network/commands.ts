import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { stockPrograms } from "../stock-program.ts";

/** A program with which a user reaches workspaces. */
export interface CommandKind {
  readonly name: string;
  /** The program and the words before the user's. */
  readonly line: readonly [string, ...string[]];
  readonly isOurs: boolean;
}

export const ourCommand: CommandKind = {
  name: "our command",
  line: [
    process.execPath,
    "--conditions=@slipway/source",
    fileURLToPath(import.meta.resolve("@slipway/cli/program")),
  ],
  isOurs: true,
};

/** Our command, and those that SLIPWAY_STOCK_COMMAND names. */
export const commands: readonly CommandKind[] = [
  ourCommand,
  ...stockPrograms("SLIPWAY_STOCK_COMMAND").map(({ name, path }): CommandKind => ({
    name: `the command ${name}`,
    line: [path],
    isOurs: false,
  })),
];

export interface Outcome {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The bytes of stdout. */
  readonly bytes: Buffer;
}

/** The time limit of a command. */
const limitMs = 60_000;

/** A command with its own home directory. */
export class InstalledCommand {
  readonly kind: CommandKind;
  readonly #home: string;

  private constructor(kind: CommandKind, home: string) {
    this.kind = kind;
    this.#home = home;
  }

  /** Creates the home directory; the caller removes it. */
  static async install(kind: CommandKind, home: string): Promise<InstalledCommand> {
    await mkdir(home, { recursive: true });
    return new InstalledCommand(kind, home);
  }

  get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env["PATH"], HOME: this.#home, CODER_CONFIG_DIR: this.#home };
  }

  /** Starts the command with pipes. The caller stops it. */
  start(words: readonly string[]): ChildProcess {
    const [program, ...first] = this.kind.line;
    const options = { env: this.environment, stdio: "pipe", detached: true } as const;
    return spawn(program, [...first, ...words], options);
  }

  /** Runs the command until it exits. Throws when it does not exit in time. */
  run(words: readonly string[], input: string | Uint8Array = ""): Promise<Outcome> {
    return outcomeOf(this.start(words), input);
  }

  /** Runs OpenSSH over it, with a line for the workspace's shell. */
  openSsh(workspace: string, line: string, input: string | Uint8Array = ""): Promise<Outcome> {
    const proxy = [...this.kind.line, "ssh", "--stdio", workspace].join(" ");
    const options = {
      ProxyCommand: proxy,
      StrictHostKeyChecking: "no",
      UserKnownHostsFile: "/dev/null",
      LogLevel: "ERROR",
    };
    const args = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const child = spawn("ssh", ["-F", "none", ...args, workspace, line], {
      env: this.environment,
      stdio: "pipe",
      detached: true,
    });
    return outcomeOf(child, input);
  }

  /** Runs it and returns its output. Throws with the output when it fails. */
  async expect(words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(words);
    if (code === 0) return stdout;
    throw new Error(`${words.join(" ")} exited with ${String(code)}:\n${stdout}${stderr}`);
  }
}

/** Kills a command and its children, which hold its pipes. */
function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, "SIGKILL");
}

/** Writes a program's input and collects its output until it exits. Throws when it does not exit in time. */
export async function outcomeOf(child: ChildProcess, input: string | Uint8Array): Promise<Outcome> {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("missing pipes");
  // It may exit before it has read its input.
  stdin.on("error", () => undefined);
  stdin.end(input);
  const timer = setTimeout(() => killGroup(child), limitMs);
  try {
    const parts = [buffer(stdout), buffer(stderr), once(child, "close")] as const;
    const [bytes, errorBytes] = await Promise.all(parts);
    const [printed, said] = [bytes.toString(), errorBytes.toString()];
    if (child.signalCode === "SIGKILL") throw new Error(`did not exit in time:\n${said}`);
    return { code: child.exitCode, stdout: printed, stderr: said, bytes };
  } finally {
    clearTimeout(timer);
  }
}
