import { expect, test } from "vitest";

import { streamDerpMaps } from "./derp-maps.ts";

test("sends one map with home parameters and stays open until the caller leaves", async () => {
  const caller = new AbortController();
  const maps = streamDerpMaps(caller.signal);
  expect(await maps.next()).toEqual({ done: false, value: { homeParams: {}, regions: {} } });
  const next = maps.next();
  expect(await Promise.race([next, Promise.resolve("open")])).toBe("open");
  caller.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});
