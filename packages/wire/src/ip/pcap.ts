import { writeUint16, writeUint32 } from "../bytes/integers.ts";

/*
 *  0            4       6       8            12           16           20           24
 *  +------------+-------+-------+------------+------------+------------+------------+
 *  | magic      | 2     | 4     | zone, 0    | 0          | snap bytes | link type  |
 *  +------------+-------+-------+------------+------------+------------+------------+
 *  and for each packet:
 *  +------------+---------------+------------+------------+------------------------+
 *  | seconds    | microseconds  | kept bytes | all bytes  | the kept bytes         |
 *  +------------+---------------+------------+------------+------------------------+
 *  A capture file (draft-ietf-opsawg-pcap §4 and §5); the magic tells readers that its integers are big-endian.
 */
const magic = 0xa1b2c3d4;
const version = [2, 4] as const;
const fileHeaderBytes = 24;
const packetHeaderBytes = 16;

/** Packets without a header of a link below them. */
const rawIp = 101;

/** The number of bytes that a capture keeps of each packet: all headers of IPv6 and TCP. */
export const snapBytes = 128;

/** Encodes the beginning of a capture file of IP packets. */
export function encodePcapHeader(): Uint8Array {
  const header = new Uint8Array(fileHeaderBytes);
  writeUint32(header, 0, magic);
  writeUint16(header, 4, version[0]);
  writeUint16(header, 6, version[1]);
  writeUint32(header, 16, snapBytes);
  writeUint32(header, 20, rawIp);
  return header;
}

/** Encodes the entry of a packet, seen `timeMs` after the Unix epoch. */
export function encodePcapPacket(packet: Uint8Array, timeMs: number): Uint8Array {
  const kept = packet.subarray(0, snapBytes);
  const entry = new Uint8Array(packetHeaderBytes + kept.length);
  const seconds = Math.floor(timeMs / 1_000);
  writeUint32(entry, 0, seconds);
  writeUint32(entry, 4, Math.floor((timeMs - seconds * 1_000) * 1_000));
  writeUint32(entry, 8, kept.length);
  writeUint32(entry, 12, packet.length);
  entry.set(kept, packetHeaderBytes);
  return entry;
}
