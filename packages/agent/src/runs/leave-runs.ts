import { abortable } from "@slipway/runtime";
import type { KeptRun } from "@slipway/sdk/agent";

import type { OutputPiece } from "./output-block.ts";
import type { Run } from "./run.ts";

/** The maximum size of the output that is left of one run, and of all, in bytes. */
const maxRunBytes = 1024 * 1024;
const maxBytesInAll = 8 * 1024 * 1024;
const readBytes = 64 * 1024;

/** Leaves a run with the server; resolves to whether it accepts more. */
export type KeepRun = (kept: KeptRun, signal: AbortSignal) => Promise<boolean>;

/** Leaves runs, whose processes have been ended, with the server, the newest first: the end of the output of each. */
export async function leaveRuns(
  runs: readonly Run[],
  keep: KeepRun,
  signal: AbortSignal,
): Promise<void> {
  // Their processes have been ended.
  await abortable(Promise.all(runs.map(({ exited }) => exited)), signal);
  let room = maxBytesInAll;
  for (const run of runs) {
    const pieces = await readEnd(run, Math.min(maxRunBytes, room));
    room -= pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const chunks = pieces.map(({ stream, position, bytes }) => ({
      seq: position + bytes.length,
      stream,
      data: Buffer.from(bytes).toString("base64"),
    }));
    if (!(await keep({ run: run.describe(), chunks }, signal))) return;
  }
}

async function readEnd({ output }: Run, maxBytes: number): Promise<readonly OutputPiece[]> {
  const found: OutputPiece[] = [];
  let position = Math.max(output.firstSeq, output.lastSeq - maxBytes);
  for (;;) {
    const { missedBytes, pieces } = await output.read(position, readBytes);
    position += missedBytes;
    if (pieces.length === 0) return found;
    for (const piece of pieces) {
      const last = found.at(-1);
      const goesOn =
        last?.stream === piece.stream && last.position + last.bytes.length === position;
      if (last !== undefined && goesOn && last.bytes.length < readBytes) {
        found.pop();
        const bytes = Buffer.concat([last.bytes, piece.bytes]);
        found.push({ ...last, bytes });
      } else found.push(piece);
      position += piece.bytes.length;
    }
  }
}
