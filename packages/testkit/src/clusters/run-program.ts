import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** Runs a program that succeeds; resolves to what it prints. */
export async function runProgram(
  program: string,
  args: readonly string[],
  input: string,
): Promise<string> {
  const running = promisify(execFile)(program, args, { maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.on("error", () => undefined).end(input);
  return (await running).stdout;
}

/** Runs a program until it is disposed of, and calls `take` with each line that it prints. */
export function followProgram(
  program: string,
  args: readonly string[],
  take: (line: string) => void,
): AsyncDisposable {
  const running = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(running, "exit");
  createInterface({ input: running.stdout }).on("line", take);
  return {
    [Symbol.asyncDispose]: async () => {
      running.kill();
      await exited;
    },
  };
}
