import { readUint16, readUint32, writeUint16, writeUint32 } from "../bytes/integers.ts";
import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8, parseUtf8 } from "../bytes/utf8.ts";

/*
 * The messages between the callers of a run and its agent, one frame each (docs/runs.md#attach):
 *
 *     type, 1 byte | payload
 *
 *     state        1   the run, as JSON: first when a caller attaches, and last when the run has ended
 *     output       2   stream, 1 byte | position of its first byte, 8 bytes | bytes
 *     gap          3   position at which output continues, 8 bytes: what is before it was dropped
 *     taken        4   bytes of input that the command has been given, 8 bytes
 *     input       16   position of its first byte, 8 bytes | bytes
 *     close-input 17   position of the end, 8 bytes
 *     resize      18   columns, 2 bytes | rows, 2 bytes
 *     signal      19   its name
 *
 * Positions count the bytes of both output streams together, or those of the input, from the first.
 */
const types = {
  state: 1,
  output: 2,
  gap: 3,
  taken: 4,
  input: 16,
  closeInput: 17,
  resize: 18,
  signal: 19,
} as const;

/** The maximum number of bytes of output or input in one frame. */
export const maxRunFrameBytes = 64 * 1024;
/** The maximum size of a message with one frame, in bytes. */
export const maxRunMessageBytes = maxRunFrameBytes + 16;
/** The maximum number of input bytes that a caller sends before the command has been given them. */
export const runInputWindow = 256 * 1024;

export type OutputStream = "stdout" | "stderr";

const streams: readonly OutputStream[] = ["stdout", "stderr"];
const numberBytes = 8;

/** A message of an agent to a caller. */
export type RunEvent =
  | { readonly type: "state"; readonly json: string }
  /** A view of the received bytes. */
  | {
      readonly type: "output";
      readonly stream: OutputStream;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  | { readonly type: "gap"; readonly position: number }
  | { readonly type: "taken"; readonly position: number };

/** A message of a caller to an agent. */
export type RunCommand =
  /** A view of the received bytes. */
  | { readonly type: "input"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: "close-input"; readonly position: number }
  | { readonly type: "resize"; readonly columns: number; readonly rows: number }
  | { readonly type: "signal"; readonly name: string };

/** A message that neither end sends. */
export class RunFrameError extends Error {
  override readonly name = "RunFrameError";
  readonly code = "malformed";
  readonly retryable = false;
}

export function encodeRunEvent(event: RunEvent): Uint8Array {
  switch (event.type) {
    case "state":
      return joinBytes([Uint8Array.of(types.state), encodeUtf8(event.json)]);
    case "output": {
      const head = Uint8Array.of(types.output, streams.indexOf(event.stream));
      return joinBytes([head, encodeNumber(event.position), event.bytes]);
    }
    case "gap":
    case "taken":
      return joinBytes([Uint8Array.of(types[event.type]), encodeNumber(event.position)]);
  }
}

export function encodeRunCommand(command: RunCommand): Uint8Array {
  switch (command.type) {
    case "input":
      return joinBytes([Uint8Array.of(types.input), encodeNumber(command.position), command.bytes]);
    case "close-input":
      return joinBytes([Uint8Array.of(types.closeInput), encodeNumber(command.position)]);
    case "resize": {
      const bytes = new Uint8Array(5);
      bytes[0] = types.resize;
      writeUint16(bytes, 1, command.columns);
      writeUint16(bytes, 3, command.rows);
      return bytes;
    }
    case "signal":
      return joinBytes([Uint8Array.of(types.signal), encodeUtf8(command.name)]);
  }
}

/** Parses a message of an agent. Throws `RunFrameError`. */
export function parseRunEvent(bytes: Uint8Array): RunEvent {
  const type = bytes[0] ?? 0;
  switch (type) {
    case types.state:
      return { type: "state", json: parseText(bytes.subarray(1)) };
    case types.output: {
      const stream = streams[bytes[1] ?? streams.length];
      if (stream === undefined) throw new RunFrameError("output of an unknown stream");
      return {
        type: "output",
        stream,
        position: readNumber(bytes, 2),
        bytes: bytes.subarray(2 + numberBytes),
      };
    }
    case types.gap:
      return { type: "gap", position: readOnlyNumber(bytes) };
    case types.taken:
      return { type: "taken", position: readOnlyNumber(bytes) };
    default:
      throw unknownType(type);
  }
}

/** Parses a message of a caller. Throws `RunFrameError`. */
export function parseRunCommand(bytes: Uint8Array): RunCommand {
  const type = bytes[0] ?? 0;
  switch (type) {
    case types.input:
      return {
        type: "input",
        position: readNumber(bytes, 1),
        bytes: bytes.subarray(1 + numberBytes),
      };
    case types.closeInput:
      return { type: "close-input", position: readOnlyNumber(bytes) };
    case types.resize:
      if (bytes.length !== 5) throw new RunFrameError(`${bytes.length} bytes of a size, wanted 5`);
      return { type: "resize", columns: readUint16(bytes, 1), rows: readUint16(bytes, 3) };
    case types.signal:
      return { type: "signal", name: parseText(bytes.subarray(1)) };
    default:
      throw unknownType(type);
  }
}

function unknownType(type: number): RunFrameError {
  return new RunFrameError(`unknown frame type ${type}`);
}

function parseText(bytes: Uint8Array): string {
  try {
    return parseUtf8(bytes);
  } catch (cause) {
    throw new RunFrameError("text that is not UTF-8", { cause });
  }
}

function encodeNumber(number: number): Uint8Array {
  const bytes = new Uint8Array(numberBytes);
  writeUint32(bytes, 0, Math.floor(number / 0x1_0000_0000));
  writeUint32(bytes, 4, number % 0x1_0000_0000);
  return bytes;
}

/** Reads the number that is the whole payload. */
function readOnlyNumber(bytes: Uint8Array): number {
  const wanted = 1 + numberBytes;
  if (bytes.length !== wanted) {
    throw new RunFrameError(`message of ${bytes.length} bytes, wanted ${wanted}`);
  }
  return readNumber(bytes, 1);
}

function readNumber(bytes: Uint8Array, offset: number): number {
  if (bytes.length < offset + numberBytes) {
    throw new RunFrameError(`message of ${bytes.length} bytes without a position`);
  }
  const number = readUint32(bytes, offset) * 0x1_0000_0000 + readUint32(bytes, offset + 4);
  if (!Number.isSafeInteger(number)) throw new RunFrameError("position of more than 53 bits");
  return number;
}
