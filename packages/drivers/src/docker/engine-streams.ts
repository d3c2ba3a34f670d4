/*
 * The streams of a Docker Engine: lines of JSON (progress, events), and the output of a container, which is cut into
 * frames:
 *
 *   | stream (1) | 0 0 0 | length (4, big endian) | bytes |
 */

/** A longer line of progress is malformed. */
const maxLineBytes = 1024 * 1024;
const lineFeed = 0x0a;
const frameHeaderBytes = 8;

/** Yields the values of a stream with one JSON document per line. Throws an `Error` for anything else. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of body) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed)) {
      const line = new TextDecoder().decode(bytes.subarray(0, end)).trim();
      bytes = bytes.subarray(end + 1);
      if (line !== "") yield JSON.parse(line) as unknown;
    }
    if (bytes.length > maxLineBytes) throw new Error(`line of more than ${maxLineBytes} bytes`);
    rest = bytes;
  }
  const last = new TextDecoder().decode(rest).trim();
  if (last !== "") yield JSON.parse(last) as unknown;
}

/** Returns the text in the frames of a container's output; an incomplete frame at the end counts. */
export function outputText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at + frameHeaderBytes <= bytes.length;) {
    const start = at + frameHeaderBytes;
    const end = start + view.getUint32(at + 4);
    parts.push(bytes.subarray(start, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}

/** Reads a stream up to a number of bytes, and drops the rest. */
export async function readHead(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}
