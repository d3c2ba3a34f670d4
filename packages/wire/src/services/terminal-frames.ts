import { readUint32, writeUint32 } from "../bytes/integers.ts";
import { joinBytes } from "../bytes/join.ts";
import { encodeUuid } from "../bytes/uuid.ts";

/*
 * The stream from an agent to a viewer that can resume (docs/protocol/agent.md §7.1):
 *
 *     the viewer's id, 16 bytes | frames: type, 1 byte | length, 3 bytes | payload
 *
 *     attached  1   position of the next byte of output, 8 bytes | newest input that was taken, 8 bytes
 *     output    2   bytes of the terminal
 *     taken     3   newest input that was taken, 8 bytes
 *     ended     4   nothing
 *     unknown   5   nothing
 */
const types = { attached: 1, output: 2, taken: 3, ended: 4, unknown: 5 } as const;
const idBytes = 16;
const headerBytes = 4;
const numberBytes = 8;

/** An event that an agent reports to a viewer. */
export type TerminalEvent =
  /**
   * Always first: output continues at this position, counted in bytes from the terminal's first; `taken` is the
   * latest input.
   */
  | { readonly type: "attached"; readonly position: number; readonly taken: number }
  /** A view of the received bytes. */
  | { readonly type: "output"; readonly bytes: Uint8Array }
  /** All inputs up to this number have been typed. */
  | { readonly type: "taken"; readonly taken: number }
  /** The command has ended, and all of its output was sent. */
  | { readonly type: "ended" }
  /** The terminal that the viewer wants to resume no longer exists. */
  | { readonly type: "unknown" };

/** Bytes that agents never send; the viewer ends the connection. */
export class TerminalFrameError extends Error {
  override readonly name = "TerminalFrameError";
  readonly code = "malformed";
  readonly retryable = false;
}

/** Encodes the greeting before the first frame. Throws `BytesError` for an id that is not a UUID. */
export function encodeTerminalGreeting(viewerId: string): Uint8Array {
  return encodeUuid(viewerId);
}

/** Encodes a frame without output. */
export function encodeTerminalFrame(
  event: Exclude<TerminalEvent, { readonly type: "output" }>,
): Uint8Array {
  switch (event.type) {
    case "attached":
      return encode(types.attached, event.position, event.taken);
    case "taken":
      return encode(types.taken, event.taken);
    case "ended":
    case "unknown":
      return encode(types[event.type]);
  }
}

/** Encodes the header of this many bytes of output, which follow unchanged. */
export function encodeOutputHeader(bytes: number): Uint8Array {
  return header(types.output, bytes);
}

function encode(type: number, ...numbers: readonly number[]): Uint8Array {
  const payload = numbers.map((number) => {
    const bytes = new Uint8Array(numberBytes);
    writeUint32(bytes, 0, Math.floor(number / 0x1_0000_0000));
    writeUint32(bytes, 4, number % 0x1_0000_0000);
    return bytes;
  });
  return joinBytes([header(type, numbers.length * numberBytes), ...payload]);
}

function header(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  writeUint32(bytes, 0, type * 0x1_00_00_00 + length);
  return bytes;
}

/** The part of the stream to which the next bytes belong. */
type Place =
  | { readonly type: "greeting" }
  /** The stream did not begin with the viewer's id: the agent does not know this protocol, and everything is output. */
  | { readonly type: "plain" }
  | { readonly type: "header" }
  | { readonly type: "output"; readonly left: number }
  | { readonly type: "control"; readonly kind: number; readonly length: number };

/** Reads the stream of an agent to a viewer, cut anywhere, without holding output back. */
export class TerminalFrames {
  readonly #greeting: Uint8Array;
  #place: Place = { type: "greeting" };
  /** The beginning of a greeting, a header or a payload. */
  #begun: Uint8Array = new Uint8Array();

  constructor(viewerId: string) {
    this.#greeting = encodeTerminalGreeting(viewerId);
  }

  /** True once the agent has sent the bytes of a plain terminal, which have no numbers. */
  get isPlain(): boolean {
    return this.#place.type === "plain";
  }

  /** Returns the events that the chunk completes. Throws `TerminalFrameError`. */
  receive(chunk: Uint8Array): TerminalEvent[] {
    const events: TerminalEvent[] = [];
    let rest = chunk;
    while (rest.length > 0) rest = this.#read(rest, events);
    return events;
  }

  /** Reads one part, and returns the bytes after it. */
  #read(bytes: Uint8Array, events: TerminalEvent[]): Uint8Array {
    const place = this.#place;
    switch (place.type) {
      case "greeting":
        return this.#readGreeting(bytes, events);
      case "plain":
        events.push({ type: "output", bytes });
        return new Uint8Array();
      case "header":
        return this.#collect(bytes, headerBytes, (whole) => {
          this.#place = placeOf(whole);
          this.#finishEmpty(events);
        });
      case "output": {
        const part = bytes.subarray(0, place.left);
        events.push({ type: "output", bytes: part });
        const left = place.left - part.length;
        this.#place = left === 0 ? { type: "header" } : { type: "output", left };
        return bytes.subarray(part.length);
      }
      case "control":
        return this.#collect(bytes, place.length, (whole) => {
          events.push(eventOf(place.kind, whole));
          this.#place = { type: "header" };
        });
    }
  }

  #readGreeting(bytes: Uint8Array, events: TerminalEvent[]): Uint8Array {
    const begun = joinBytes([this.#begun, bytes.subarray(0, idBytes - this.#begun.length)]);
    const rest = bytes.subarray(begun.length - this.#begun.length);
    const isGreeting = begun.every((byte, at) => byte === this.#greeting[at]);
    if (!isGreeting) {
      this.#place = { type: "plain" };
      events.push({ type: "output", bytes: begun });
    } else if (begun.length < idBytes) {
      this.#begun = begun;
      return rest;
    } else {
      this.#place = { type: "header" };
    }
    this.#begun = new Uint8Array();
    return rest;
  }

  /** Collects `length` bytes, and hands them on once they are complete. */
  #collect(bytes: Uint8Array, length: number, take: (whole: Uint8Array) => void): Uint8Array {
    const part = bytes.subarray(0, length - this.#begun.length);
    const whole = joinBytes([this.#begun, part]);
    if (whole.length < length) this.#begun = whole;
    else {
      this.#begun = new Uint8Array();
      take(whole);
    }
    return bytes.subarray(part.length);
  }

  /** Finishes a frame without a payload. */
  #finishEmpty(events: TerminalEvent[]): void {
    const place = this.#place;
    if (place.type === "output" && place.left === 0) this.#place = { type: "header" };
    if (place.type !== "control" || place.length > 0) return;
    events.push(eventOf(place.kind, new Uint8Array()));
    this.#place = { type: "header" };
  }
}

const payloadBytes: ReadonlyMap<number, number> = new Map([
  [types.attached, 2 * numberBytes],
  [types.taken, numberBytes],
  [types.ended, 0],
  [types.unknown, 0],
]);

function placeOf(bytes: Uint8Array): Place {
  const word = readUint32(bytes, 0);
  const kind = Math.floor(word / 0x1_00_00_00);
  const length = word % 0x1_00_00_00;
  if (kind === types.output) return { type: "output", left: length };
  const wanted = payloadBytes.get(kind);
  if (wanted === undefined) throw new TerminalFrameError(`unknown frame type ${String(kind)}`);
  if (length !== wanted) {
    throw new TerminalFrameError(
      `frame of type ${String(kind)} with ${String(length)} bytes, wanted ${String(wanted)}`,
    );
  }
  return { type: "control", kind, length };
}

function eventOf(kind: number, payload: Uint8Array): TerminalEvent {
  switch (kind) {
    case types.attached:
      return {
        type: "attached",
        position: readNumber(payload, 0),
        taken: readNumber(payload, numberBytes),
      };
    case types.taken:
      return { type: "taken", taken: readNumber(payload, 0) };
    case types.ended:
      return { type: "ended" };
    default:
      return { type: "unknown" };
  }
}

function readNumber(bytes: Uint8Array, offset: number): number {
  const number = readUint32(bytes, offset) * 0x1_0000_0000 + readUint32(bytes, offset + 4);
  if (!Number.isSafeInteger(number)) throw new TerminalFrameError("number of more than 53 bits");
  return number;
}
