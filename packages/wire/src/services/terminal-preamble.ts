import { encodeUtf8 } from "../bytes/utf8.ts";

/** The terminal that a viewer wants, with the names of the agent's protocol (docs/protocol/rest.md §6.10). */
export interface TerminalStart {
  /** The id of the terminal: a viewer that gives it again gets the same one. */
  readonly ID: string;
  readonly Height: number;
  readonly Width: number;
  readonly Command: string;
  readonly Container: string;
  readonly ContainerUser: string;
  readonly BackendType: string;
  /** The id of a viewer that resumes, and the position where it continues (docs/protocol/agent.md §7.1). */
  readonly Viewer: string | undefined;
  readonly Received: number | undefined;
}

/** The maximum size of the JSON of a preamble, whose length has 16 bits. */
export const maxPreambleBytes = 65_535;
const lengthBytes = 2;

/**
 * Encodes the first message on a connection to an agent's terminals (docs/protocol/rest.md §6.10):
 *
 *     uint16 little-endian: length | JSON
 *
 * Throws `RangeError` for more than `maxPreambleBytes`.
 */
export function encodeTerminalPreamble(start: TerminalStart): Uint8Array {
  const json = encodeUtf8(JSON.stringify(start));
  if (json.length > maxPreambleBytes) {
    throw new RangeError(
      `terminal preamble has ${String(json.length)} bytes (at most ${String(maxPreambleBytes)})`,
    );
  }
  const bytes = new Uint8Array(lengthBytes + json.length);
  new DataView(bytes.buffer).setUint16(0, json.length, true);
  bytes.set(json, lengthBytes);
  return bytes;
}
