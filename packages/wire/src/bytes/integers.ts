/*
 * Unsigned integers in bytes: big-endian, or little-endian (`Le`). Missing bytes read as 0, so compare the length first.
 */

/** Returns the big-endian 32 bits at `offset`. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return readUint16(bytes, offset) * 0x10000 + readUint16(bytes, offset + 2);
}

/** Returns the big-endian 16 bits at `offset`. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  writeUint16(bytes, offset, value >>> 16);
  writeUint16(bytes, offset + 2, value);
}

export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Returns the little-endian 32 bits at `offset`. */
export function readUint32Le(bytes: Uint8Array, offset: number): number {
  const high = bytes[offset + 3] ?? 0;
  const low =
    (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8) | ((bytes[offset + 2] ?? 0) << 16);
  return high * 0x100_0000 + low;
}

export function writeUint32Le(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** Returns the little-endian 64 bits at `offset`; inexact beyond 2^53. */
export function readUint64Le(bytes: Uint8Array, offset: number): number {
  return readUint32Le(bytes, offset + 4) * 0x1_0000_0000 + readUint32Le(bytes, offset);
}

export function writeUint64Le(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32Le(bytes, offset, value % 0x1_0000_0000);
  writeUint32Le(bytes, offset + 4, Math.floor(value / 0x1_0000_0000));
}
