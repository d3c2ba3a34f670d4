import type { RunChunk, RunPage } from "@slipway/api/agents/run-routes";
import { type Clock, settlesWithin } from "@slipway/runtime";

import { runError } from "./errors.ts";
import type { OutputPiece } from "./output-block.ts";
import type { Run } from "./run.ts";

export type Encoding = "text" | "base64";

export interface PageRequest {
  readonly after: number;
  readonly maxBytes: number;
  /** The time to wait; 0 for none. */
  readonly waitMs: number;
  /**
   * The event to wait for: more output, or the end of the run; or, for a short command, the end or a moment after the first
   * output, whichever comes first.
   */
  readonly waitFor: "output" | "exit" | "exit-or-output";
  readonly encoding: Encoding;
}

/** The time in which a short command ends after its first output. */
const settleMs = 20;

interface PageNeeds {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Reads a part of the output of a run. Throws `ApiError`. */
export async function readPage(
  run: Run,
  request: PageRequest,
  { clock, signal }: PageNeeds,
): Promise<RunPage> {
  const { after, waitMs, waitFor } = request;
  requirePosition(run, after);
  if (waitMs > 0) {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const events = {
      exit: () => run.exited,
      output: () => run.output.hasMore(after, either),
      "exit-or-output": () => exitOrOutput(run, clock, either),
    } as const;
    await settlesWithin(events[waitFor](), waitMs, clock, signal);
    over.abort();
  }
  // The description is that of the state before the output is read: what follows it comes with the next page.
  const { pieces, missedBytes, position } = await collect(run, request);
  const isComplete = !run.isRunning && position >= run.output.lastSeq;
  const { chunks, next } = encodePieces(pieces, request.encoding, { position, isComplete });
  return {
    run: run.describe(),
    chunks,
    missed_bytes: missedBytes,
    next_seq: next,
    is_complete: isComplete && next === position,
  };
}

/** Resolves once the run has exited, or a moment after its first output, or the signal is aborted. */
async function exitOrOutput(run: Run, clock: Clock, signal: AbortSignal): Promise<void> {
  await run.output.hasMore(0, signal);
  if (run.isRunning) await settlesWithin(run.exited, settleMs, clock, signal);
}

/** Requires that a run has output up to a position. Throws `ApiError`. */
export function requirePosition(run: Run, after: number): void {
  const { lastSeq } = run.output;
  if (after <= lastSeq) return;
  const detail = `position ${after}, wanted at most ${lastSeq}`;
  throw runError("seq-in-future", "The run has no output at this position yet.", detail);
}

interface Collected {
  readonly pieces: readonly OutputPiece[];
  readonly missedBytes: number;
  /** The position after the last piece. */
  readonly position: number;
}

/** Collects output up to the size of a page, or to the next part that was dropped. */
async function collect(run: Run, { after, maxBytes }: PageRequest): Promise<Collected> {
  const pieces: OutputPiece[] = [];
  let missed = 0;
  let position = after;
  for (let room = maxBytes; room > 0;) {
    const part = await run.output.read(position, room);
    if (part.missedBytes > 0) {
      if (pieces.length > 0) break;
      missed += part.missedBytes;
      position += part.missedBytes;
    }
    if (part.pieces.length === 0) {
      if (part.missedBytes > 0) continue;
      break;
    }
    for (const piece of part.pieces) {
      pieces.push(piece);
      position += piece.bytes.length;
      room -= piece.bytes.length;
    }
  }
  return { pieces: joinPieces(pieces), missedBytes: missed, position };
}

/** Joins pieces of one stream that follow each other. */
function joinPieces(pieces: readonly OutputPiece[]): readonly OutputPiece[] {
  const joined: { stream: OutputPiece["stream"]; position: number; parts: Uint8Array[] }[] = [];
  for (const { stream, position, bytes } of pieces) {
    const last = joined.at(-1);
    if (last?.stream === stream) last.parts.push(bytes);
    else joined.push({ stream, position, parts: [bytes] });
  }
  return joined.map(({ stream, position, parts }) => {
    return { stream, position, bytes: Buffer.concat(parts) };
  });
}

interface Encoded {
  readonly chunks: RunChunk[];
  readonly next: number;
}

function encodePieces(
  pieces: readonly OutputPiece[],
  encoding: Encoding,
  { position, isComplete }: { readonly position: number; readonly isComplete: boolean },
): Encoded {
  const last = pieces.at(-1);
  let next = position;
  const chunks = pieces.map(({ stream, position: first, bytes }): RunChunk => {
    const isLast = last?.position === first;
    // The rest of a character comes with the next page.
    const cut = encoding === "text" && isLast && !isComplete ? unfinishedBytes(bytes) : 0;
    const whole = cut === bytes.length ? bytes : bytes.subarray(0, bytes.length - cut);
    const seq = first + whole.length;
    if (isLast) next = seq;
    const data = encoding === "text" ? decoder.decode(whole) : asBuffer(whole).toString("base64");
    return { seq, stream, data };
  });
  return { chunks, next };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Returns the number of bytes at the end that begin a character of UTF-8 without ending it. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
