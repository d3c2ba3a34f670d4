import { openSync } from "node:fs";

/** One end of a child's standard streams, as `spawn` takes it. */
type Stdio = "ignore" | "pipe" | number;

const kept = new Set<number>();
let nothing: number | undefined;

/** Hides an inheritable descriptor of this process from all later children. */
export function keepFromChildren(descriptor: number): Disposable {
  kept.add(descriptor);
  return { [Symbol.dispose]: () => void kept.delete(descriptor) };
}

/** Returns the streams of a child, with `/dev/null` in place of each hidden descriptor, and of `more`. */
export function childStdio(
  streams: readonly [Stdio, Stdio, Stdio],
  more: readonly number[] = [],
): Stdio[] {
  const stdio: Stdio[] = [...streams];
  for (const descriptor of [...kept, ...more]) {
    while (stdio.length <= descriptor) stdio.push("ignore");
    nothing ??= openSync("/dev/null", "r+");
    stdio[descriptor] = nothing;
  }
  return stdio;
}
