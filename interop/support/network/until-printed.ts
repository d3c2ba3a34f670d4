import type { ChildProcess } from "node:child_process";

/** Waits until a process has printed a match, on stdout and stderr together. Throws when it exits first. */
export function untilPrinted(child: ChildProcess, what: RegExp): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let printed = "";
  const take = (chunk: Buffer): void => {
    printed += chunk.toString();
    if (what.test(printed)) resolve();
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  child.once("close", () => reject(new Error(`exited before it printed ${what}:\n${printed}`)));
  return promise;
}
