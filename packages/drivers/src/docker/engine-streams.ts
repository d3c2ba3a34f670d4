/*
 * The streams of a Docker Engine: lines of JSON (progress, events), and the output of a container, which is cut into
 * frames:
 *
 *   | stream (1) | 0 0 0 | length (4, big endian) | bytes |
 */

/** A longer line of progress is malformed. */
const defaultMaxLineBytes = 1024 * 1024;
const lineFeed = 0x0a;
const frameHeaderBytes = 8;

/** Yields the values of a stream with one JSON document per line. Throws an `Error` for anything else. */
export async function* jsonLines(
  body: AsyncIterable<Uint8Array>,
  maxLineBytes = defaultMaxLineBytes,
): AsyncGenerator {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      yield* jsonLine([...parts, chunk.subarray(start, end)]);
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > maxLineBytes) throw new Error(`line of more than ${maxLineBytes} bytes`);
  }
  yield* jsonLine(parts);
}

function* jsonLine(parts: readonly Uint8Array[]): Generator {
  const line = Buffer.concat(parts).toString().trim();
  if (line !== "") yield JSON.parse(line) as unknown;
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
