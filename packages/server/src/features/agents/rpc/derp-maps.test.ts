import { setImmediate as settled } from "node:timers/promises";

import { expect, it } from "vitest";

import { streamDerpMaps } from "./derp-maps.ts";

it("sends one map with home parameters and stays open until the caller leaves", async () => {
  const caller = new AbortController();
  const maps = streamDerpMaps(caller.signal);
  expect(await maps.next()).toEqual({ done: false, value: { homeParams: {}, regions: {} } });
  let isOver = false;
  const next = maps.next().finally(() => (isOver = true));
  await settled();
  expect(isOver).toBe(false);
  caller.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});
