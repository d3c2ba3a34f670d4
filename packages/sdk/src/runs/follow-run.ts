import type { Run, RunPage } from "@slipway/api/agents/run-routes";
import { Backoff } from "@slipway/runtime";
import {
  encodeRunCommand,
  type OutputStream,
  type RunEvent,
} from "@slipway/wire/services/run-frames";

import { isRetryable } from "../http/errors.ts";
import { RunError } from "./errors.ts";
import { EventQueue } from "./event-queue.ts";
import type { InputSender } from "./input-sender.ts";
import { openRunSocket, parseRunState, type RunSocket } from "./run-socket.ts";
import { mayHaveStopped, type RunTarget } from "./run-target.ts";

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Output of a run, or a part of it that was missed because it is no longer kept. */
export type RunPart =
  | {
      readonly type: "output";
      readonly stream: OutputStream;
      /** The position of the first byte. */
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  | { readonly type: "missed"; readonly bytes: number };

/** The controls of a run over the connection at hand. */
export interface RunControls {
  readonly input: InputSender;
  /** The wanted size of the terminal; undefined for none. */
  size: TerminalSize | undefined;
  /** The connection; undefined while there is none. */
  socket: RunSocket | undefined;
}

export interface FollowRunOptions {
  readonly target: RunTarget;
  readonly runId: string;
  /** The instance of the agent that runs it; undefined for any. */
  readonly instanceId: string | undefined;
  /** The position up to which the caller has the output. */
  readonly after: number;
  readonly controls: RunControls;
  readonly signal: AbortSignal;
}

/** The time for which the connection may fail before the caller is told, in milliseconds. */
const maxOutageMs = 5 * 60_000;
const normalClosure = 1000;

/**
 * Follows a run from a position to its end, across lost connections and restarts of the server: each byte once, in order.
 * Output that is not taken waits with the agent. Returns the ended run. Throws `ApiError`, `RunError` and the signal's
 * reason.
 */
export async function* followRun(
  options: FollowRunOptions,
): AsyncGenerator<RunPart, Run, undefined> {
  const { target, signal } = options;
  const backoff = new Backoff();
  let position = options.after;
  let failingSinceMs: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    let failure: unknown;
    try {
      const connection = connect(options, position);
      for (;;) {
        const next = await connection.next();
        if (next.done === true) {
          if (next.value.kind === "ended") return next.value.run;
          failure = next.value.reason;
          break;
        }
        backoff.reset();
        failingSinceMs = undefined;
        const part = next.value;
        position += part.type === "missed" ? part.bytes : part.bytes.length;
        yield part;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      failure = error;
    }
    // The reader was slower than the connection.
    if (failure === undefined) continue;
    const { clock } = target;
    failingSinceMs ??= clock.monotonic();
    if (clock.monotonic() - failingSinceMs > maxOutageMs) {
      throw new RunError("connection-lost", "the workspace cannot be reached", {
        admitted: "yes",
        retryable: true,
        cause: failure,
      });
    }
    await clock.sleep(backoff.next(), signal);
    const left = await probe(options, position);
    if (left === undefined) continue;
    if (left.missed_bytes > 0) yield { type: "missed", bytes: left.missed_bytes };
    yield* outputsOf(left.chunks);
    options.controls.input.finish();
    return left.run;
  }
}

/**
 * Asks the plain route why a WebSocket was refused, and throws its answer unless it may change. Resolves to what is left of
 * the run if its workspace has stopped.
 */
async function probe(
  { target, runId, instanceId, signal }: FollowRunOptions,
  position: number,
): Promise<RunPage | undefined> {
  try {
    await target.get(runId, instanceId, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const left = mayHaveStopped(error)
      ? await target.getKept(runId, position, signal).catch(() => undefined)
      : undefined;
    if (left === undefined && !isRetryable(error)) throw error;
    return left;
  }
}

/** Returns the output of a page in base64. */
export function* outputsOf(chunks: RunPage["chunks"]): Generator<RunPart, void, undefined> {
  for (const { seq, stream, data } of chunks) {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    yield { type: "output", stream, position: seq - bytes.length, bytes };
  }
}

type ConnectionEnd =
  | { readonly kind: "ended"; readonly run: Run }
  /** Without a reason, it was closed because the reader was slow. */
  | { readonly kind: "lost"; readonly reason: unknown };

/** Follows a run over one connection. */
async function* connect(
  { target, runId, instanceId, controls, signal }: FollowRunOptions,
  after: number,
): AsyncGenerator<RunPart, ConnectionEnd, undefined> {
  const queue = new EventQueue();
  const { input } = controls;
  let run: Run | undefined;
  let position = after;
  const take = (event: RunEvent): void => {
    if (!queue.offer(event)) controls.socket?.close();
  };
  const socket = await openRunSocket(target, { runId, instanceId, after }, take, signal);
  controls.socket = socket;
  void socket.ended.then(() => queue.close());
  try {
    for await (const event of queue) {
      switch (event.type) {
        case "state": {
          const isFirst = run === undefined;
          run = parseRunState(event.json);
          if (!isFirst) break;
          // Before the input that was written after it.
          if (run.tty && controls.size !== undefined) sendSize(socket, controls.size);
          input.connect(socket.send, run.stdin_seq);
          break;
        }
        case "output": {
          const { stream, bytes } = event;
          requireNext(event.position, position);
          yield { type: "output", stream, position, bytes };
          position += bytes.length;
          break;
        }
        case "gap":
          if (event.position <= position) break;
          yield { type: "missed", bytes: event.position - position };
          position = event.position;
          break;
        case "taken":
          input.noteTaken(event.position);
      }
    }
    if (queue.isFull) return { kind: "lost", reason: undefined };
    signal.throwIfAborted();
    const { code, reason, violation } = await socket.ended;
    if (violation !== undefined) throw violation;
    if (code === normalClosure && run?.status === "exited") {
      input.finish();
      return { kind: "ended", run };
    }
    return { kind: "lost", reason: new Error(`socket closed with ${code} ${reason}`.trim()) };
  } finally {
    input.disconnect();
    controls.socket = undefined;
    socket.close();
  }
}

/** Sends the size of the caller's terminal. */
export function sendSize({ send }: RunSocket, { columns, rows }: TerminalSize): void {
  send(encodeRunCommand({ type: "resize", columns, rows }));
}

function requireNext(got: number, wanted: number): void {
  if (got === wanted) return;
  throw new RunError("malformed", `output at position ${got}, wanted ${wanted}`, {
    admitted: "unknown",
  });
}
