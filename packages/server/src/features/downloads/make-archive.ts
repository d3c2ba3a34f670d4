import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { createInterface } from "node:readline";

import { type Logger, printableLine } from "@slipway/runtime";

import { archiveFile, type ArchiveName } from "./archive-file.ts";

interface MakeOptions {
  readonly name: ArchiveName;
  readonly directory: string;
  /** The program that makes archives, and its first arguments (`tools/build-archive.ts`). */
  readonly command: readonly string[];
  readonly logger: Logger;
  /** Takes the lines of the program. */
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The time limit: a slow machine downloads 60 MB and compresses 130 MB. */
const maxMakeMs = 15 * 60_000;
/** The time between SIGTERM and SIGKILL. */
const endMs = 5_000;
/** The maximum number of lines of the program in the log, and of characters of each. */
const maxLines = 200;
const maxLineLength = 1_000;
/** Lower than that of the server. */
const lowPriority = 10;

/** Makes an archive, unless the one in the directory is up to date. Returns its path; throws the program's last line. */
export async function makeArchive(options: MakeOptions): Promise<string> {
  const { name, directory, command, logger } = options;
  const [program = "", ...first] = command;
  const words = ["--architecture", name.architecture, "--compression", name.compression];
  const child = spawn(program, [...first, ...words, "--output", directory], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let lastLine = "";
  let lines = 0;
  createInterface(child.stderr).on("line", (line) => {
    lastLine = printableLine(line.slice(0, maxLineLength));
    lines += 1;
    if (lines > maxLines) return;
    logger.info({ progress: lastLine }, "making a download");
    options.report(lastLine);
  });
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(maxMakeMs)]);
  const code = await waitForEnd(child, signal);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(lastLine === "" ? `${program} ended with ${code}` : lastLine);
  return `${directory}/${archiveFile(name)}`;
}

/** Resolves to the exit code, once the output has ended too. Ends the program when the signal aborts. */
async function waitForEnd(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject);
  child.on("close", resolve);
  child.on("spawn", () => lowerPriority(child.pid));
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill();
    timer = setTimeout(() => child.kill("SIGKILL"), endMs);
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(timer);
  }
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, lowPriority);
  } catch {
    // It has ended already.
  }
}
