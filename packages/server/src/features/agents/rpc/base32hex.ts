const alphabet = "0123456789abcdefghijklmnopqrstuv";
const bitsPerDigit = 5;

/** Encodes bytes in base32hex (RFC 4648 section 7), lower case, without padding. */
export function base32Hex(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= bitsPerDigit; bits -= bitsPerDigit) {
      text += alphabet[(held >> (bits - bitsPerDigit)) & 31];
    }
  }
  return bits === 0 ? text : text + alphabet[(held << (bitsPerDigit - bits)) & 31];
}
