import { CodedError } from "../bytes/coded-error.ts";
import { BytesError } from "../bytes/errors.ts";
import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8, parseUtf8 } from "../bytes/utf8.ts";

/**
 * The reason why a speed test cannot run:
 * - `malformed`: the other end's line cannot be read.
 * - `too-long`: that line is longer than the limit.
 * - `refused`: the server refused; the message is the server's.
 */
export type SpeedtestErrorCode = "malformed" | "too-long" | "refused";

export class SpeedtestError extends CodedError<SpeedtestErrorCode> {
  override readonly name = "SpeedtestError";
  readonly retryable = false;
}

/** The version of the protocol (docs/protocol/tailnet.md §7.4). */
const version = 2;

/** The size of the blocks that the uploading end writes and the other end counts. */
export const speedtestBlockBytes = 2 * 1024 * 1024;

/** The longest test that a server runs. */
export const maxSpeedtestMs = 10 * 60_000;

const nanosecondsPerMs = 1_000_000;

/** The direction of the data, as the client sees it. */
export type SpeedtestDirection = "download" | "upload";

const numbers = { download: 0, upload: 1 } as const;

export interface SpeedtestRequest {
  readonly direction: SpeedtestDirection;
  readonly durationMs: number;
}

/** Encodes the first line of a client. */
export function encodeSpeedtestRequest({ direction, durationMs }: SpeedtestRequest): Uint8Array {
  const time = Math.round(durationMs * nanosecondsPerMs);
  return encodeUtf8(`${JSON.stringify({ version, time, direction: numbers[direction] })}\n`);
}

/** Parses a client's line, without its newline. Throws `SpeedtestError` "malformed". */
export function parseSpeedtestRequest(line: Uint8Array): SpeedtestRequest {
  const fields = parseObject(line);
  if (fields["version"] !== version) {
    throw malformed(`version ${JSON.stringify(fields["version"])}, wanted ${String(version)}`);
  }
  const time = fields["time"];
  if (typeof time !== "number" || !(time >= 0 && time <= maxSpeedtestMs * nanosecondsPerMs)) {
    throw malformed(
      `time ${JSON.stringify(time)}, wanted 0 to ${String(maxSpeedtestMs / 1000)} s in nanoseconds`,
    );
  }
  return { direction: parseDirection(fields["direction"]), durationMs: time / nanosecondsPerMs };
}

/** Encodes the server's answer: an empty object, or the reason for a refusal. */
export function encodeSpeedtestAnswer(refusal: string | undefined): Uint8Array {
  return encodeUtf8(`${JSON.stringify(refusal === undefined ? {} : { error: refusal })}\n`);
}

/** Reads the server's answer. Throws `SpeedtestError` "refused" or "malformed". */
export function checkSpeedtestAnswer(line: Uint8Array): void {
  const { error } = parseObject(line);
  if (error === undefined || error === "") return;
  throw typeof error === "string"
    ? new SpeedtestError("refused", error)
    : malformed("the error of the answer is not a text");
}

function parseDirection(value: unknown): SpeedtestDirection {
  switch (value) {
    case numbers.download:
      return "download";
    case numbers.upload:
      return "upload";
    default:
      throw malformed(`direction ${JSON.stringify(value)}, wanted 0 or 1`);
  }
}

function parseObject(line: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(parseUtf8(line));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof BytesError)) throw error;
    throw malformed("the line is not JSON", error);
  }
  throw malformed("the line is not a JSON object");
}

function malformed(message: string, cause?: unknown): SpeedtestError {
  return new SpeedtestError("malformed", message, { cause });
}

/** The longest line of either end. */
export const maxLineBytes = 1024;

const newline = 0x0a;

/** Collects the one line that each end sends before the blocks. */
export class LineCollector {
  #collected: Uint8Array = new Uint8Array();

  /**
   * Handles a chunk; `undefined` until the line is complete. The line and the bytes after it may be views of the
   * chunk. Throws `SpeedtestError` "too-long".
   */
  receive(chunk: Uint8Array): { readonly line: Uint8Array; readonly rest: Uint8Array } | undefined {
    const end = chunk.indexOf(newline);
    const length = this.#collected.length + (end === -1 ? chunk.length : end);
    if (length > maxLineBytes) {
      throw new SpeedtestError(
        "too-long",
        `line of more than ${String(length)} bytes, wanted at most ${String(maxLineBytes)}`,
      );
    }
    if (end === -1) {
      this.#collected = joinBytes([this.#collected, chunk]);
      return undefined;
    }
    const line = joinBytes([this.#collected, chunk.subarray(0, end)]);
    return { line, rest: chunk.subarray(end + 1) };
  }
}
