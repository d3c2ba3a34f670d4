import { IpProtocol, ipv6HeaderBytes, parseIpv6, writeIpv6Header } from "./ipv6.ts";

/*
 *  0      1                    9            11
 *  +------+--------------------+------------+
 *  | type | data               | port       |   a ping has no port; that of a pong is ignored
 *  +------+--------------------+------------+
 *  The payload of protocol 99 (docs/protocol/tailnet.md §7.2). It has no checksum.
 */
const Type = { ping: 0x70, pong: 0x6f } as const;
const dataOffset = 1;
const dataBytes = 8;
const pingBytes = dataOffset + dataBytes;
const pongBytes = pingBytes + 2;

/** A ping below the TCP/IP stack, or its answer. `data` has 8 bytes chosen by the sender of the ping. */
export interface TsmpMessage {
  readonly type: "ping" | "pong";
  readonly data: Uint8Array;
}

/** An address at each end of a packet. */
export interface TsmpAddresses {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/**
 * Parses the message of `bytes` from `start` to `end`; `undefined` if it is truncated or of another type, such as the
 * reject that only concerns IPv4. `data` is a view.
 */
export function parseTsmp(bytes: Uint8Array, start: number, end: number): TsmpMessage | undefined {
  if (end - start < pingBytes) return undefined;
  const data = bytes.subarray(start + dataOffset, start + pingBytes);
  switch (bytes[start] ?? 0) {
    case Type.ping:
      return { type: "ping", data };
    case Type.pong:
      return { type: "pong", data };
    default:
      return undefined;
  }
}

/** Encodes a whole packet with a ping. */
export function encodeTsmpPing(addresses: TsmpAddresses, data: Uint8Array): Uint8Array {
  const packet = new Uint8Array(ipv6HeaderBytes + pingBytes);
  writeIpv6Header(packet, 0, { ...addresses, nextHeader: IpProtocol.tsmp }, pingBytes);
  writeMessage(packet, Type.ping, data);
  return packet;
}

/** Returns the whole packet that answers a ping; `undefined` for any other packet. */
export function answerTsmpPing(packet: Uint8Array): Uint8Array | undefined {
  const ping = parseIpv6(packet);
  if (ping?.nextHeader !== IpProtocol.tsmp) return undefined;
  const message = parseTsmp(packet, ping.payloadStart, ping.payloadEnd);
  if (message?.type !== "ping") return undefined;
  const answer = new Uint8Array(ipv6HeaderBytes + pongBytes);
  const header = {
    source: ping.destination,
    destination: ping.source,
    nextHeader: IpProtocol.tsmp,
    flowLabel: ~ping.flowLabel & 0xf_ffff,
  };
  writeIpv6Header(answer, 0, header, pongBytes);
  writeMessage(answer, Type.pong, message.data);
  return answer;
}

function writeMessage(packet: Uint8Array, type: number, data: Uint8Array): void {
  packet[ipv6HeaderBytes] = type;
  packet.set(data.subarray(0, dataBytes), ipv6HeaderBytes + dataOffset);
}
