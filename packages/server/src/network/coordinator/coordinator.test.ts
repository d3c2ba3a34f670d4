import { randomUUID } from "node:crypto";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { MemoryPeers } from "../../../tests/support/memory-directory.ts";
import { Coordinator } from "./coordinator.ts";
import { defaultDirectoryTimes, type PeerDirectory } from "./peer-directory.ts";

it("reads each view once a minute without a hint, in turn and several by one statement", async () => {
  const clock = createFakeClock();
  const reads: (readonly string[])[] = [];
  const shared = new MemoryPeers(defaultDirectoryTimes).open();
  const directory: PeerDirectory = {
    ...shared,
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    readViews: (ids) => {
      reads.push(ids);
      return shared.readViews(ids);
    },
  };
  const coordinator = new Coordinator({ directory, clock, logger: silentLogger });
  onTestFinished(() => coordinator[Symbol.asyncDispose]());
  const ids = Array.from({ length: 300 }, () => randomUUID());
  for (const id of ids) coordinator.join({ id, holder: id, keyId: undefined, ip: undefined });
  for (let round = 0; round < 2; round += 1) {
    for (let second = 0; second < 60; second += 1) await clock.advance(1_000);
    expect(reads).toHaveLength(60);
    expect(reads.splice(0).flat().toSorted()).toEqual(ids.toSorted());
  }
});
