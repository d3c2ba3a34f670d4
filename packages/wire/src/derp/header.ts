import { readUint32, writeUint32 } from "../bytes/integers.ts";

/*
 *  0        1                                   5
 *  +--------+-----------------------------------+---------
 *  | type   | length of the payload, big endian | payload
 *  +--------+-----------------------------------+---------
 *  docs/protocol/tailnet.md §4.4
 */
export const derpHeaderBytes = 5;

/** The size of a node's public key, and of a nonce of a box. */
export const derpKeyBytes = 32;
export const derpNonceBytes = 24;

/** The largest packet that a relay carries (docs/protocol/tailnet.md §4.5). */
export const maxDerpPacketBytes = 64 * 1024;
/** The largest payload of a frame that a client sends after its login: a forwarded packet. */
export const maxClientFrameBytes = maxDerpPacketBytes + 2 * derpKeyBytes;
/** The largest payload of a frame that a client accepts (docs/protocol/tailnet.md §4.5). */
export const maxServerFrameBytes = 1024 * 1024;

/** The type of a frame; receivers skip unknown types. */
export const DerpFrameType = {
  serverKey: 0x01,
  clientInfo: 0x02,
  serverInfo: 0x03,
  sendPacket: 0x04,
  recvPacket: 0x05,
  keepAlive: 0x06,
  notePreferred: 0x07,
  peerGone: 0x08,
  peerPresent: 0x09,
  forwardPacket: 0x0a,
  watchConns: 0x10,
  closePeer: 0x11,
  ping: 0x12,
  pong: 0x13,
  health: 0x14,
  restarting: 0x15,
} as const;

/** Returns the length of the payload that the header at `at` announces; missing bytes count as 0. */
export function payloadLength(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + 1);
}

/** Writes a header at `at`. */
export function writeDerpHeader(
  bytes: Uint8Array,
  at: number,
  header: { readonly type: number; readonly length: number },
): void {
  bytes[at] = header.type;
  writeUint32(bytes, at + 1, header.length);
}
