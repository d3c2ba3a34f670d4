import { TcpPair } from "@slipway/testkit/links";
import { expect, it } from "vitest";

/** 100 Mbit/s, headers included. */
const bytesPerMs = 12_500;

/** 5 s of data. */
const bytes = 60_000_000;

/** Returns the share of the link that reaches the application. */
function goodput(rttMs: number, lossRate: number, queuePackets: number): number {
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

it.each([
  [20, 0, 256, 0.9],
  [20, 0.001, 256, 0.8],
  [20, 0.01, 256, 0.5],
  [20, 0, 32, 0.82],
  [20, 0.001, 32, 0.78],
  [100, 0, 256, 0.72],
  [100, 0.001, 256, 0.65],
  [100, 0, 32, 0.55],
])(
  "fills 100 Mbit/s at %d ms with %d lost and a queue of %d packets to %d",
  (rttMs, lossRate, queuePackets, least) => {
    expect(goodput(rttMs, lossRate, queuePackets)).toBeGreaterThan(least);
  },
);
