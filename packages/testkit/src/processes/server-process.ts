import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("@slipway/cli/program"));
const clonedCommand = [process.execPath, "--conditions=@slipway/source", program];

/** The administrator of every server that this module starts. */
export const testAdmin = {
  email: "admin@localhost",
  password: "correct-horse-battery-42",
} as const;

/**
 * The hash of that password at the lowest cost: at the server's default, hashing takes 50 ms, and so does each check.
 */
export const testPasswordHash = "scrypt$2$1$1$dGVzdA$4FtopU7yr-fY8mBMyuI9VswErmNyuCtMvKb5-8ZzYdw";

export interface ServerProcessOptions {
  readonly dataDir: string;
  /** The port; 0 lets the system pick one. */
  readonly port: number;
  readonly demo?: boolean;
  /** The prefix that runs the command elsewhere, such as in a namespace (default: none). */
  readonly launcher?: readonly string[];
  /** The words of the command (default: the clone's command). */
  readonly command?: readonly string[];
  /** Additional settings, by variable. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A server in its own process. The starter stops it. */
export interface ServerProcess extends AsyncDisposable {
  /** The address that it announces: its own or SLIPWAY_ACCESS_URL. */
  readonly url: string;
  readonly pid: number;
  /** The milliseconds from spawn to announcement. */
  readonly startMs: number;
  /** Returns the output so far. */
  output(): string;
  /** Resolves when the process has exited, for any reason. */
  readonly exited: Promise<unknown>;
  /** Sends a signal and waits for the exit. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Settings for a server on which one user creates as many workspaces as the machine can hold. */
export const unlimitedWorkspaces = {
  SLIPWAY_MAX_WORKSPACES_PER_USER: "unlimited",
  SLIPWAY_MAX_RUNNING_WORKSPACES_PER_USER: "unlimited",
  SLIPWAY_MAX_PENDING_BUILDS_PER_USER: "unlimited",
} as const;

const startTimeoutMs = 60_000;

/** Starts `slipway server` and waits until it announces its address. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const startedAt = performance.now();
  const { launcher = [], command = clonedCommand, demo = false } = options;
  const words = [...launcher, ...command, "server", ...(demo ? ["--demo"] : [])];
  const child = spawn(words[0] ?? "", words.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      SLIPWAY_DATA_DIR: options.dataDir,
      SLIPWAY_HTTP_ADDRESS: `127.0.0.1:${options.port}`,
      SLIPWAY_ADMIN_EMAIL: testAdmin.email,
      SLIPWAY_ADMIN_PASSWORD: testAdmin.password,
      SLIPWAY_PROCESS_DRIVER: "true",
      SLIPWAY_DOCKER_HOST: "off",
      SLIPWAY_LOG_LEVEL: "warn",
      ...options.environment,
    },
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit");
  const url = await waitForUrl(child);
  const startMs = performance.now() - startedAt;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await exited;
  };
  return {
    url,
    pid: child.pid ?? 0,
    startMs,
    output: () => output,
    exited,
    end,
    [Symbol.asyncDispose]: () => end("SIGINT"),
  };
}

function waitForUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (reason: string): void => reject(new Error(`the server ${reason}:\n${output}`));
    const timer = setTimeout(() => fail("did not start in time"), startTimeoutMs);
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = /Server\s+(https?:\S+)/.exec(output)?.[1];
      if (url === undefined || !output.includes("Ctrl-C")) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      fail(`exited early (${signal ?? code})`);
    });
  });
}
