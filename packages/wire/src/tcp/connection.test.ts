import { TcpPair } from "@slipway/testkit/links";
import { expect, it } from "vitest";

const minute = 60_000;

it("carries bytes both ways over a perfect link and closes", () => {
  const pair = new TcpPair({
    seed: 1,
    client: { sendBytes: 1_000_000 },
    server: { sendBytes: 3_000_000 },
    link: { delayMs: 10 },
  });
  const isDone = () => pair.client.isClosed && pair.server.isClosed;
  expect(pair.run(isDone, minute)).toBe(true);
  expect(pair.server).toMatchObject({ read: 1_000_000, isSpoilt: false, error: undefined });
  expect(pair.client).toMatchObject({ read: 3_000_000, isSpoilt: false, error: undefined });
  expect(pair.client.events).toEqual(["connected", "finished", "closed"]);
});

it.each([0.001, 0.01, 0.1, 0.2])(
  "carries bytes over a link that loses %d of all packets",
  (lossRate) => {
    const pair = new TcpPair({
      seed: 2,
      client: { sendBytes: 300_000 },
      server: { sendBytes: 300_000 },
      link: { delayMs: 10, lossRate, lateRate: 0.05, lateMs: 30, duplicateRate: 0.02 },
    });
    const isDone = () => pair.client.isClosed && pair.server.isClosed;
    expect(pair.run(isDone, 60 * minute)).toBe(true);
    expect(pair.server).toMatchObject({ read: 300_000, isSpoilt: false, error: undefined });
    expect(pair.client).toMatchObject({ read: 300_000, isSpoilt: false, error: undefined });
  },
);
