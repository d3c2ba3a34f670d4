import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createFakeClock } from "@slipway/testkit";
import { afterAll, expect, it } from "vitest";

import { PacketCapture } from "./packet-capture.ts";

const directory = mkdtempSync(join(tmpdir(), "slipway-capture-"));
afterAll(() => rmSync(directory, { recursive: true }));

it("writes the headers of packets to a file of its owner", async () => {
  const clock = createFakeClock();
  const path = join(directory, "one.pcap");
  const capture = PacketCapture.open(path, clock);
  capture.add([new Uint8Array(40).fill(1)]);
  await clock.advance(1_500);
  capture.add([new Uint8Array(1_280).fill(2)]);
  capture.close();
  capture.close();
  const file = readFileSync(path);
  expect(file).toHaveLength(24 + 16 + 40 + 16 + 128);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const times = [24, 24 + 16 + 40].map(
    (offset) => file.readUInt32BE(offset) * 1_000 + file.readUInt32BE(offset + 4) / 1_000,
  );
  expect(Number(times[1]) - Number(times[0])).toBeCloseTo(1_500);
});

it("writes before much has piled up", () => {
  const path = join(directory, "two.pcap");
  using capture = PacketCapture.open(path, createFakeClock());
  const packets = Array.from({ length: 500 }, () => new Uint8Array(1_280));
  capture.add(packets);
  expect(statSync(path).size).toBe(24 + 500 * (16 + 128));
});

it("ends at an error of the file system, which it throws at last", () => {
  const capture = PacketCapture.open("/dev/full", createFakeClock());
  const packets = Array.from({ length: 500 }, () => new Uint8Array(1_280));
  capture.add(packets);
  capture.add(packets);
  expect(() => capture.close()).toThrow("ENOSPC");
});
