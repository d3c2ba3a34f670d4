import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const slipway = fileURLToPath(new URL("../../bin/slipway.js", import.meta.url));

/** The result of a command that ran as a process of its own. */
export interface EndedCommand {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The most memory that it had, in bytes. */
  readonly memory: number;
}

interface RunOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The current directory of the command (default: that of the test). */
  readonly directory?: string;
  /** Sees the process at work. */
  readonly onStart?: (child: ChildProcess) => void;
  /** The most characters that are kept of each stream (default: 1 Mi). */
  readonly maxChars?: number;
}

/** Tells, at the end of a process, the most memory that it had, in KiB, on descriptor 3. */
const reportMemory = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));',
)}`;

/** Runs `slipway` with these words as a process of its own, without a terminal, until it ends. */
export async function runCommandProcess(
  words: readonly string[],
  { environment, directory, onStart, maxChars = 1024 * 1024 }: RunOptions,
): Promise<EndedCommand> {
  const flags = ["--conditions=@slipway/source", `--import=${reportMemory}`];
  const child = spawn(process.execPath, [...flags, slipway, ...words], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
    cwd: directory,
  });
  const streams = ["", "", "", ""];
  for (const index of [1, 2, 3]) {
    child.stdio[index]?.on("data", (chunk: Buffer) => {
      streams[index] = ((streams[index] ?? "") + chunk.toString()).slice(-maxChars);
    });
  }
  onStart?.(child);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const [, out = "", err = "", memory = ""] = streams;
  return { code, out, err, memory: Number(memory) * 1024 };
}
