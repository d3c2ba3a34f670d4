import { setImmediate as settled } from "node:timers/promises";

import { expect, it } from "vitest";

import { relayMap } from "../derp-map.ts";
import { streamDerpMaps } from "./derp-maps.ts";

it("sends one map with home parameters and stays open until the caller leaves", async () => {
  const caller = new AbortController();
  const maps = streamDerpMaps(() => relayMap("http://h:1", undefined), caller.signal);
  expect(await maps.next()).toMatchObject({
    done: false,
    value: { homeParams: {}, regions: { 999: { regionId: 999n } } },
  });
  let isOver = false;
  const next = maps.next().finally(() => (isOver = true));
  await settled();
  expect(isOver).toBe(false);
  caller.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});
