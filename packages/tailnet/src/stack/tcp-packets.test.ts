import { IpProtocol, ipv6HeaderBytes, writeIpv6Header } from "@slipway/wire/ip/ipv6";
import { writeUdp } from "@slipway/wire/ip/udp";
import { expect, it } from "vitest";

import {
  connectPair,
  openAlone,
  openSeenPair,
  ours,
  readAll,
  signal,
  theirs,
} from "../../tests/support/open-stack.ts";

/* The lengths of TCP packets on paths that carry more than the IPv6 minimum. */

const lengthOf = ({ length }: Uint8Array): number => length;

it("sends packets of TCP as long as the path carries now", async () => {
  const carried = { bytes: 16_384 };
  const lengths: number[] = [];
  const tcpPackets = { largestBytes: 16_384, carriedBytes: () => carried.bytes };
  const [stream, accepted] = await connectPair(
    ...openSeenPair(
      (packets) => void lengths.push(...packets.map(lengthOf)),
      { tcpPackets },
      { tcpPackets },
    ),
  );
  const upload = Buffer.alloc(1_000_000, "large and small");
  const sent = (async () => {
    for (const bytes of [16_384, 1280, 8800]) {
      carried.bytes = bytes;
      await stream.write(upload, signal);
    }
    stream.finish();
  })();
  const read = await readAll(accepted);
  await sent;
  expect(Buffer.concat([upload, upload, upload]).equals(read)).toBe(true);
  for (const bytes of [16_384, 1280, 8800]) expect(lengths).toContain(bytes);
});

it("sends a peer that takes 1280 bytes no more", async () => {
  const lengths: number[] = [];
  const tcpPackets = { largestBytes: 16_384, carriedBytes: () => 65_000 };
  const [client, server] = openSeenPair((packets) => void lengths.push(...packets.map(lengthOf)), {
    tcpPackets,
  });
  const upload = Buffer.alloc(100_000, "small");
  const [stream, accepted] = await connectPair(client, server);
  const sent = stream.write(upload, signal).then(() => stream.finish());
  expect(upload.equals(await readAll(accepted))).toBe(true);
  await sent;
  expect(Math.max(...lengths)).toBe(1280);
});

it("takes long packets of TCP alone", async () => {
  const { stack } = openAlone({ tcpPackets: { largestBytes: 16_384, carriedBytes: () => 1280 } });
  const socket = stack.bindUdp(7);
  const bytes = new Uint8Array(1400);
  const header = { source: theirs, destination: ours, nextHeader: IpProtocol.udp };
  const datagram = { sourcePort: 9, destinationPort: 7, payload: new Uint8Array(1300) };
  const length = writeUdp(bytes, ipv6HeaderBytes, datagram, 0);
  writeIpv6Header(bytes, 0, header, length);
  stack.receive([bytes.subarray(0, ipv6HeaderBytes + length)]);
  const short = { ...datagram, payload: Uint8Array.of(1) };
  writeIpv6Header(bytes, 0, header, writeUdp(bytes, ipv6HeaderBytes, short, 0));
  stack.receive([bytes.subarray(0, ipv6HeaderBytes + 9)]);
  for await (const { payload } of socket) {
    expect(payload).toEqual(Uint8Array.of(1));
    break;
  }
});
