import { getEventListeners } from "node:events";

import { expect, it } from "vitest";

import { Turnstile } from "./turnstile.ts";

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Creates tasks that record their names when they start, and end on demand. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => async (): Promise<string> => {
    begun.push(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    await promise;
    return name;
  };
  return { begun, task, end: (name: string) => ends.get(name)?.() };
}

const { signal } = new AbortController();

it("lets so many in at once, and the others in their order", async () => {
  const turnstile = new Turnstile((inside) => inside < 2);
  const { begun, task, end } = tasks();
  const results = ["a", "b", "c", "d"].map((name) => turnstile.run(signal, task(name)));
  await settled();
  expect(begun).toEqual(["a", "b"]);
  end("b");
  await settled();
  expect(begun).toEqual(["a", "b", "c"]);
  end("a");
  await settled();
  for (const name of ["c", "d"]) end(name);
  expect(await Promise.all(results)).toEqual(["a", "b", "c", "d"]);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("forgets who leaves before its turn", async () => {
  const turnstile = new Turnstile((inside) => inside < 1);
  const { begun, task, end } = tasks();
  const first = turnstile.run(signal, task("a"));
  const abort = new AbortController();
  const second = turnstile.run(abort.signal, task("b"));
  const third = turnstile.run(signal, task("c"));
  abort.abort(new Error("left"));
  await expect(second).rejects.toThrow("left");
  await expect(turnstile.run(abort.signal, task("d"))).rejects.toThrow("left");
  end("a");
  await first;
  await settled();
  expect(begun).toEqual(["a", "c"]);
  end("c");
  await third;
});

it("lets in when its condition has changed, and goes on after a task that failed", async () => {
  let isOpen = false;
  const turnstile = new Turnstile((inside) => isOpen && inside < 1);
  const failed = turnstile.run(signal, async () => {
    throw new Error("broken");
  });
  const next = turnstile.run(signal, async () => "next");
  await settled();
  isOpen = true;
  turnstile.advance();
  await expect(failed).rejects.toThrow("broken");
  expect(await next).toBe("next");
});

it("lets a task that was outside in again before those that have not been inside", async () => {
  const turnstile = new Turnstile((inside) => inside < 1);
  const { begun, task, end } = tasks();
  const outside = tasks();
  const first = turnstile.run(signal, async () => {
    const part = await turnstile.runOutside(outside.task("part"));
    return task(`after ${part}`)();
  });
  const others = ["b", "c"].map((name) => turnstile.run(signal, task(name)));
  await settled();
  expect(begun).toEqual(["b"]);
  outside.end("part");
  await settled();
  expect(begun).toEqual(["b"]);
  end("b");
  await settled();
  expect(begun).toEqual(["b", "after part"]);
  expect(turnstile.isEmpty).toBe(false);
  end("after part");
  await settled();
  expect(begun).toEqual(["b", "after part", "c"]);
  end("c");
  await Promise.all([first, ...others]);
  expect(turnstile.isEmpty).toBe(true);
});
