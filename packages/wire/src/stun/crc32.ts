const polynomial = 0xedb88320;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ polynomial;
  }
  return value;
});

/** Returns the CRC-32 of ISO 3309 of the bytes from 0 to `end`, unsigned. */
export function crc32(bytes: Uint8Array, end: number): number {
  let crc = 0xffff_ffff;
  for (let at = 0; at < end; at += 1) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
