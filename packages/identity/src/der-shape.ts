/** The maximum size of a message from an instance, in bytes; Azure's have about 3,000. */
const maxBytes = 16 * 1024;
/**
 * The maximum number of values in it: parsing time grows with them. A certificate has about 80, more with many names.
 */
const maxValues = 800;
/** The maximum nesting depth; certificates in signed data reach about 12. */
const maxDepth = 32;

/**
 * The maximum number of certificates in signed data: Azure includes the signer's, and has included those up to a
 * root.
 */
const maxCertificates = 4;

/** A value that contains others. */
interface Container {
  readonly tag: number;
  readonly end: number;
}

/**
 * Throws unless the bytes are one DER value of modest size, number of parts and depth. Reads tags and lengths only, and
 * runs first because the full parser is slow on many parts.
 *
 *     tag    1 byte, of which 0x20: contains other values, 0x1f: a longer tag follows (nothing here has one)
 *     length 1 byte below 0x80, else 0x80 + n and n bytes (0x80 alone: no length, which is not DER)
 */
export function requireModestDer(bytes: Uint8Array): void {
  if (bytes.length > maxBytes) {
    throw new Error(`found ${bytes.length} bytes, wanted at most ${maxBytes}`);
  }
  const within: Container[] = [{ tag: 0, end: bytes.length }];
  let values = 0;
  let certificates = 0;
  let at = 0;
  for (let container = within.at(-1); container !== undefined; container = within.at(-1)) {
    if (at === container.end) {
      within.pop();
      continue;
    }
    values += 1;
    certificates += isCertificate(within) ? 1 : 0;
    if (values > maxValues) throw new Error(`found more than ${maxValues} values`);
    if (certificates > maxCertificates) {
      throw new Error(`found more than ${maxCertificates} certificates`);
    }
    const { tag, start, end } = headAt(bytes, at, container.end);
    if (within.length === 1 && end !== bytes.length) throw new Error("found more than one value");
    const isContainer = (tag & 0x20) !== 0;
    at = isContainer ? start : end;
    if (!isContainer) continue;
    if (within.length >= maxDepth) {
      throw new Error(`found values nested more than ${maxDepth} deep`);
    }
    within.push({ tag, end });
  }
}

/**
 * Reports whether the value is a certificate, which signed data has in its `[0]`: message, `[0]`, signed data, `[0]`.
 */
function isCertificate(within: readonly Container[]): boolean {
  return within.length === 5 && within[4]?.tag === 0xa0;
}

function headAt(
  bytes: Uint8Array,
  at: number,
  limit: number,
): Container & { readonly start: number } {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1] ?? 0x80;
  if ((tag & 0x1f) === 0x1f) throw new Error("found a long tag");
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first >= 0x80 && (lengthBytes === 0 || lengthBytes > 3)) {
    throw new Error("found a length that is missing or too long");
  }
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthBytes; index += 1) {
    length = length * 256 + (bytes[at + 2 + index] ?? 0);
  }
  const start = at + 2 + lengthBytes;
  if (start + length > limit) throw new Error("found a value that ends too early");
  return { tag, start, end: start + length };
}
