import { expect, it } from "vitest";

import { WorkspaceTurns } from "./workspace-turns.ts";

const { signal } = new AbortController();

it("runs one task of a workspace at a time, in order, beside those of others", async () => {
  const turns = new WorkspaceTurns();
  const first = Promise.withResolvers<void>();
  const events: string[] = [];
  const task = (name: string, until?: Promise<void>) => async () => {
    events.push(`${name} begins`);
    await until;
    events.push(`${name} ends`);
    return name;
  };
  const running = [
    turns.run("one", signal, task("first", first.promise)),
    turns.run("one", signal, task("second")),
    turns.run("two", signal, task("other")),
  ];
  expect(await running[2]).toBe("other");
  first.resolve();
  expect(await Promise.all(running)).toEqual(["first", "second", "other"]);
  expect(events).toEqual([
    "first begins",
    "other begins",
    "other ends",
    "first ends",
    "second begins",
    "second ends",
  ]);
});

it("goes on after a task that fails and one that is given up", async () => {
  const turns = new WorkspaceTurns();
  const first = Promise.withResolvers<void>();
  const running = turns.run("one", signal, () => first.promise);
  const reason = new Error("canceled");
  const canceling = new AbortController();
  const canceled = turns.run("one", canceling.signal, async () => "never");
  canceling.abort(reason);
  await expect(canceled).rejects.toBe(reason);
  const next = turns.run("one", signal, async () => "next");
  first.reject(new Error("failed"));
  await expect(running).rejects.toThrow("failed");
  expect(await next).toBe("next");
});
