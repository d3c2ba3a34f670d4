import { setImmediate as settled } from "node:timers/promises";

import type { FastifyRequest } from "fastify";
import { expect, it } from "vitest";

import { UserTurns } from "./user-turns.ts";

/** Returns a request whose client is connected by default. */
function request(isGone = false): FastifyRequest {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the only part that is read
  return { raw: { socket: { destroyed: isGone } } } as FastifyRequest;
}

/** Returns requests that complete on demand. */
function answers() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const answer = (name: string) => async (): Promise<string> => {
    begun.push(name);
    await new Promise<void>((resolve) => ends.push(resolve));
    return name;
  };
  return { begun, answer, endAll: () => ends.splice(0).forEach((end) => end()) };
}

it("lets eight requests of a user in at once, and none of another wait for them", async () => {
  const turns = new UserTurns();
  const { begun, answer, endAll } = answers();
  const many = Array.from({ length: 20 }, (_, number) =>
    turns.run("ann", request(), answer(`ann ${number}`)),
  );
  const other = turns.run("bob", request(), answer("bob"));
  await settled();
  expect(begun).toEqual([...Array.from({ length: 8 }, (_, number) => `ann ${number}`), "bob"]);
  for (let round = 0; round < 3; round += 1) {
    endAll();
    await settled();
  }
  expect(await Promise.all(many)).toHaveLength(20);
  expect(await other).toBe("bob");
});

it("lets others in while requests wait for other machines, up to a number", async () => {
  const turns = new UserTurns();
  const waits = answers();
  const many = Array.from({ length: 64 + 8 }, (_, number) => {
    const own = request();
    return turns.run("ann", own, () => turns.waitFor(own, waits.answer(`wait ${number}`)));
  });
  await settled();
  expect(waits.begun).toHaveLength(64 + 8);
  const more = answers();
  const last = turns.run("ann", request(), more.answer("last"));
  await settled();
  expect(more.begun).toEqual([]);
  waits.endAll();
  await settled();
  expect(more.begun).toEqual(["last"]);
  more.endAll();
  expect(await Promise.all(many)).toHaveLength(64 + 8);
  expect(await last).toBe("last");
});

it("counts a request again once it has waited for another machine", async () => {
  const turns = new UserTurns();
  const waits = answers();
  const work = answers();
  const waited = Array.from({ length: 10 }, (_, number) => {
    const own = request();
    return turns.run("ann", own, async () => {
      await turns.waitFor(own, waits.answer(`wait ${number}`));
      return work.answer(`work ${number}`)();
    });
  });
  await settled();
  waits.endAll();
  await settled();
  expect(work.begun).toHaveLength(8);
  work.endAll();
  await settled();
  work.endAll();
  expect(await Promise.all(waited)).toHaveLength(10);
});

it("answers those that have waited first, so that the next ones can wait", async () => {
  const turns = new UserTurns();
  const waits = answers();
  const many = Array.from({ length: 2 * (64 + 8) }, (_, number) => {
    const own = request();
    return turns.run("ann", own, () => turns.waitFor(own, waits.answer(`wait ${number}`)));
  });
  await settled();
  expect(waits.begun).toHaveLength(64 + 8);
  waits.endAll();
  await settled();
  expect(waits.begun).toHaveLength(2 * (64 + 8));
  waits.endAll();
  expect(await Promise.all(many)).toHaveLength(2 * (64 + 8));
});

it("answers no client that has gone before its turn", async () => {
  const turns = new UserTurns();
  const { begun, answer } = answers();
  await expect(turns.run("ann", request(true), answer("ann"))).rejects.toThrow("has disconnected");
  expect(begun).toEqual([]);
});

it("goes on after requests that failed", async () => {
  const turns = new UserTurns();
  const fails = Array.from({ length: 20 }, () =>
    turns.run("ann", request(), async () => {
      throw new Error("broken");
    }),
  );
  expect(await Promise.allSettled(fails)).toHaveLength(20);
  expect(await turns.run("ann", request(), async () => "fine")).toBe("fine");
});
