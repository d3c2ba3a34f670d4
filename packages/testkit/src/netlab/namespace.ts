import { type ChildProcess, execFile, spawn, type SpawnOptions } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface RunOptions {
  readonly cwd?: string;
  /** The environment (default: that of this process). */
  readonly env?: NodeJS.ProcessEnv;
  /** The text of its standard input (default: none). */
  readonly input?: string;
  /** The timeout after which it is killed (default: 60 s). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

const removalTimeoutMs = 10_000;
const removalPollMs = 10;

/** A network namespace of this machine. The opener disposes of it, which kills all processes in it. */
export class Namespace implements AsyncDisposable {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async open(name: string): Promise<Namespace> {
    await execute("ip", ["netns", "add", name]);
    const namespace = new Namespace(name);
    await namespace.shell("ip link set lo up");
    return namespace;
  }

  /** The prefix of a command that runs it in the namespace, in the same process. */
  get launcher(): readonly string[] {
    return ["ip", "netns", "exec", this.name];
  }

  /** Runs a command until it exits. Rejects with its code and output if it fails. */
  async run(
    command: string,
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<RunResult> {
    const { input = "", timeoutMs = 60_000, ...others } = options;
    const running = execute("ip", ["netns", "exec", this.name, command, ...args], {
      ...others,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    // A command may exit before it has read all of its input.
    running.child.stdin?.on("error", () => undefined).end(input);
    return running;
  }

  /** Starts a command, which ends with the namespace at the latest. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn("ip", ["netns", "exec", this.name, command, ...args], options);
  }

  /** Runs the lines of a shell script until one fails. */
  async shell(script: string): Promise<void> {
    await this.run("sh", ["-ec", script]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeNamespace(this.name);
  }
}

/** Kills the processes of a namespace and removes it. Rejects when they do not exit in time. */
export async function removeNamespace(name: string): Promise<void> {
  const deadline = performance.now() + removalTimeoutMs;
  for (;;) {
    const pids = await listProcesses(name);
    if (pids.length === 0) break;
    if (performance.now() > deadline) {
      throw new Error(`processes ${pids.join(", ")} of ${name} did not exit`);
    }
    for (const pid of pids) kill(pid);
    await pause(removalPollMs);
  }
  await execute("ip", ["netns", "delete", name]);
}

async function listProcesses(name: string): Promise<number[]> {
  const { stdout } = await execute("ip", ["netns", "pids", name]);
  return stdout.split("\n").filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has exited.
  }
}
