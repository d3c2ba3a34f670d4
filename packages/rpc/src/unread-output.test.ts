import { YamuxSession } from "@slipway/wire/yamux/session";
import { expect, it } from "vitest";

import { MemorySocket } from "../tests/support/memory-socket.ts";
import { UnreadOutput } from "./unread-output.ts";

it("cuts a peer off a minute after there was too much, unless it reads meanwhile", async () => {
  const [socket] = MemorySocket.pair();
  const limits = { maxUnreadBytes: 10, maxSocketBytes: 10, unreadTimeoutMs: 60_000 };
  const output = new UnreadOutput(socket, new YamuxSession("client"), limits, () => undefined);
  output.wrote(11, 1_000);
  output.wrote(11, 2_000);
  expect([output.isTooMuch, output.cutOffAt]).toEqual([true, 61_000]);
  const drained = output.drained(new AbortController().signal);
  expect(output.flush(3_000)).toBe(true);
  await drained;
  expect([output.isTooMuch, output.cutOffAt]).toEqual([false, Infinity]);
});
