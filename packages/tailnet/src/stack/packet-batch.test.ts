import { IpProtocol, parseIpv6 } from "@slipway/wire/ip/ipv6";
import { expect, it } from "vitest";

import { PacketBatch } from "./packet-batch.ts";

const header = {
  source: new Uint8Array(16).fill(1),
  destination: new Uint8Array(16).fill(2),
  nextHeader: IpProtocol.tcp,
};

/** Pushes packets with payloads of these lengths, and returns the payload lengths of each batch as it arrives. */
function push(largestBytes: number, lengths: readonly number[]): readonly (readonly number[])[] {
  const batches: number[][] = [];
  const batch = new PacketBatch(largestBytes, (packets) => {
    batches.push(
      packets.map((bytes) => {
        const packet = parseIpv6(bytes);
        const payload = bytes.subarray(packet?.payloadStart, packet?.payloadEnd);
        expect(payload.every((byte) => byte === payload.length % 251)).toBe(true);
        return payload.length;
      }),
    );
  });
  for (const length of lengths) {
    const { buffer, payloadStart } = batch;
    expect(buffer.length - payloadStart + 40).toBeGreaterThanOrEqual(largestBytes);
    buffer.fill(length % 251, payloadStart, payloadStart + length);
    batch.push(header, length);
  }
  batch.flush();
  return batches;
}

it("hands on 64 packets at once, or as many as it has room for", () => {
  const small = push(1280, Array(130).fill(1240));
  expect(small.map(({ length }) => length)).toEqual([64, 64, 2]);
  const large = push(16_384, Array(14).fill(16_344));
  expect(large.map(({ length }) => length)).toEqual([6, 6, 2]);
});

it("keeps packets of different lengths apart", () => {
  const lengths = Array.from({ length: 200 }, (_, at) => (at * 977) % 16_345);
  expect(push(16_384, lengths).flat()).toEqual(lengths);
});
