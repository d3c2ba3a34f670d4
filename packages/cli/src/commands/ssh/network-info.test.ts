import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";

import { createFakeClock } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { countTraffic, writeNetworkInfo } from "./network-info.ts";

const region = { name: "Home" };
const status = {
  homeRegionId: 1,
  latencies: new Map([[1, { latencyMs: 2.5, family: "v4" as const }]]),
  map: { regions: new Map([[1, region]]) },
};

it("writes what editors show, with the rates since the last time, and ends with its signal", async () => {
  const parent = mkdtempSync(join(tmpdir(), "slipway-info-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, "info");
  const clock = createFakeClock();
  const traffic = { sent: 0, received: 0 };
  const ending = new AbortController();
  const read = (): unknown => JSON.parse(readFileSync(join(directory, "77.json"), "utf8"));
  const connection = {
    status,
    ping: async () =>
      ({ latencyMs: 1.5, path: { kind: "direct", address: "192.0.2.1:1" } }) as const,
  };
  const options = { directory, processId: 77, intervalMs: 2_000, traffic, clock };
  const writing = writeNetworkInfo(connection, { ...options, signal: ending.signal });
  await expect.poll(() => clock.sleepers).toBe(1);
  expect(read()).toEqual({
    p2p: true,
    latency: 1.5,
    preferred_derp: "Home",
    derp_latency: { Home: 2.5 },
    upload_bytes_sec: 0,
    download_bytes_sec: 0,
    using_coder_connect: false,
  });
  traffic.sent += 4_000;
  traffic.received += 1_000;
  await clock.advance(2_000);
  await expect
    .poll(() => read())
    .toMatchObject({ upload_bytes_sec: 2_000, download_bytes_sec: 500 });
  ending.abort();
  await writing;
});

it("counts the bytes of a stream in both directions, and passes them on", async () => {
  const stream = new PassThrough();
  const traffic = { sent: 0, received: 0 };
  countTraffic(stream, traffic);
  stream.write(Buffer.alloc(1_000));
  stream.end();
  const chunks = await stream.toArray();
  expect(Buffer.concat(chunks)).toHaveLength(1_000);
  expect(traffic).toEqual({ sent: 1_000, received: 1_000 });
});
