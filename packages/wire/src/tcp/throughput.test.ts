import { TcpPair } from "@slipway/testkit/links";
import { expect, it } from "vitest";

/** 100 Mbit/s, headers included. */
const bytesPerMs = 12_500;

/** Returns the share of the link that reaches the application, over the time of a transfer of `bytes`. */
function goodput(rttMs: number, lossRate: number, queuePackets: number, bytes: number): number {
  const link = { delayMs: rttMs / 2, bytesPerMs, queuePackets };
  const pair = new TcpPair({
    seed: 5,
    client: { sendBytes: bytes },
    server: { sendBytes: 0, staysOpen: true },
    link: { toServer: { ...link, lossRate }, toClient: link },
  });
  const start = pair.now;
  expect(pair.run(() => pair.server.isPeerFinished, 600_000)).toBe(true);
  expect(pair.server).toMatchObject({ read: bytes, isSpoilt: false });
  return bytes / (pair.now - start) / bytesPerMs;
}

/** `packages/testkit/tests/long` has more paths, and more data. */
it.each([
  [20, 0, 256, 0.85],
  [20, 0.01, 256, 0.5],
  [20, 0.001, 32, 0.75],
])(
  "fills 100 Mbit/s at %d ms with %d lost and a queue of %d packets to %d within 2 s of data",
  (rttMs, lossRate, queuePackets, least) => {
    expect(goodput(rttMs, lossRate, queuePackets, 25_000_000)).toBeGreaterThan(least);
  },
);
