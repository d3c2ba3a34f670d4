import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const slipway = fileURLToPath(new URL("../../bin/slipway.js", import.meta.url));

/** The result of a command that ran in a separate process. */
export interface EndedCommand {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Its peak memory in bytes. */
  readonly memory: number;
}

interface RunOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The command's current directory (default: the test's). */
  readonly directory?: string;
  /** Observes the running process. */
  readonly onStart?: (child: ChildProcess) => void;
  /** The maximum number of characters kept of each stream (default: 1 Mi). */
  readonly maxChars?: number;
}

/** Reports, at the end of a process, its peak memory in KiB, on descriptor 3. */
const reportMemory = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));',
)}`;

/** Runs `slipway` with these arguments in a separate process, without a terminal, until it ends. */
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
