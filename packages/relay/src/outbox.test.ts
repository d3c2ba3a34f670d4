import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { systemClock } from "@slipway/runtime";
import { expect, it } from "vitest";

import { createCounters } from "./counters.ts";
import { defaultRelayLimits } from "./limits.ts";
import { Outbox } from "./outbox.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

function collectYoung(): void {
  if (typeof collect !== "function") throw new TypeError("no garbage collection");
  collect({ type: "minor" });
  collect({ type: "minor" });
}

function oldBytes(): number {
  const spaces = getHeapSpaceStatistics();
  return spaces.find(({ space_name: name }) => name === "old_space")?.space_used_size ?? 0;
}

it("leaves no garbage among the old objects when an idle client gets a notice", () => {
  const outboxes = Array.from(
    { length: 200 },
    () =>
      new Outbox({
        transport: { send: (_pieces, sent) => sent() },
        limits: defaultRelayLimits,
        counters: createCounters(),
        maxNoticeBytes: 1_000,
        clock: systemClock,
        turns: { send: () => true },
      }),
  );
  const play = (rounds: number): void => {
    for (let round = 0; round < rounds; round += 1) {
      for (const outbox of outboxes) {
        outbox.addNotice(new Uint8Array(5));
        outbox.flush();
      }
      collectYoung();
    }
  };
  play(20);
  const before = oldBytes();
  play(50);
  expect((oldBytes() - before) / (50 * outboxes.length)).toBeLessThan(16);
});
