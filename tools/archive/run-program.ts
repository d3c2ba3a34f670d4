import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface RunOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** The maximum size of a program's output, in bytes. */
const maxBuffer = 64 * 1024 * 1024;

/** Runs a program and returns its output. Throws with its stderr. */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  options: RunOptions,
): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { ...options, maxBuffer })).stdout;
  } catch (error) {
    options.signal.throwIfAborted();
    const stderr: unknown = Reflect.get(Object(error), "stderr");
    const reason = typeof stderr === "string" && stderr.trim() !== "" ? stderr.trim() : error;
    throw new Error(`${program} ${args[0] ?? ""} failed: ${String(reason)}`, { cause: error });
  }
}
