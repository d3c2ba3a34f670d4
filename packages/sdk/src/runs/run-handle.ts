import { type Run, type RunPage, signalRun } from "@slipway/api/agents/run-routes";
import type { OutputStream } from "@slipway/wire/services/run-frames";

import {
  followRun,
  outputsOf,
  type RunControls,
  type RunPart,
  sendSize,
  type TerminalSize,
} from "./follow-run.ts";
import { InputSender } from "./input-sender.ts";
import { OutputCollector, type RunResult } from "./output-collector.ts";
import type { RunTarget } from "./run-target.ts";

/** A piece of output. */
export interface RunOutput {
  /** The position after its last byte: attaching after it goes on with the next byte. */
  readonly seq: number;
  readonly stream: OutputStream;
  readonly data: Uint8Array;
  /** The data as text; a character that is cut comes with the next piece. */
  readonly text: string;
}

export interface FollowOptions {
  /** Called with the text of each piece. */
  readonly onStdout?: (text: string, output: RunOutput) => void;
  readonly onStderr?: (text: string, output: RunOutput) => void;
  /** The maximum number of bytes of output in the result, of its end (default: 16 MiB). */
  readonly maxOutputBytes?: number;
  /** Ends the calls of the handle; the run goes on. */
  readonly signal?: AbortSignal;
}

interface RunHandleNeeds {
  readonly target: RunTarget;
  readonly id: string;
  /** Resolves once the run has started, to its first output if it comes with the answer. */
  readonly started: Promise<Pick<RunPage, "run"> & Partial<RunPage>>;
  /** The position up to which the caller has the output. */
  readonly after: number;
  readonly size: TerminalSize | undefined;
  readonly options: FollowOptions;
}

const defaultOutputBytes = 16 * 1024 * 1024;

/**
 * A run in a workspace. Await it for its result, or iterate over it for its output; it goes on without either. Both survive
 * lost connections, with each byte of output once. Rejects with `ApiError`, `ConnectError`, `RunError` and the signal's
 * reason.
 */
export class RunHandle implements PromiseLike<RunResult>, AsyncIterable<RunOutput> {
  /** The id by which other programs attach to the run. */
  readonly id: string;
  readonly #needs: RunHandleNeeds;
  readonly #signal: AbortSignal;
  readonly #controls: RunControls;
  readonly #collector: OutputCollector;
  readonly #result = Promise.withResolvers<RunResult>();
  #isFollowed = false;
  /** The position up to which output was delivered. */
  #position: number;

  /** Handles are created by `Runs`. */
  constructor(needs: RunHandleNeeds) {
    this.id = needs.id;
    this.#needs = needs;
    const { options, size, after } = needs;
    this.#position = after;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#controls = { input: new InputSender(), size, socket: undefined };
    this.#collector = new OutputCollector(options.maxOutputBytes ?? defaultOutputBytes);
    // Reported to those who wait for it.
    this.#result.promise.catch(() => undefined);
    if (options.onStdout !== undefined || options.onStderr !== undefined) this.#collect();
  }

  /** Resolves once the run has started. */
  async started(): Promise<Run> {
    return (await this.#needs.started).run;
  }

  /** Reads the state of the run. */
  async state(): Promise<Run> {
    const { run } = await this.#needs.started;
    return this.#needs.target.get(this.id, run.instance_id, this.#signal);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a handle is awaited for its result
  then<A = RunResult, B = never>(
    onResult?: ((result: RunResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#collect();
    return this.#result.promise.then(onResult, onError);
  }

  /** Iterates over the output as it comes. The first iteration also collects the result. */
  [Symbol.asyncIterator](): AsyncGenerator<RunOutput, void, undefined> {
    if (this.#isFollowed) return this.#again();
    this.#isFollowed = true;
    return this.#outputs();
  }

  /** Writes to the input, which must be open; resolves once there is room for more. */
  async write(data: string | Uint8Array): Promise<void> {
    this.#collect();
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    await this.#controls.input.write(bytes, this.#signal);
  }

  /** Ends the input after everything that was written. */
  closeStdin(): void {
    this.#collect();
    this.#controls.input.close();
  }

  /** Sends a signal, such as `SIGINT`, to all processes of the run. */
  async signal(name: string): Promise<void> {
    const { target, started } = this.#needs;
    const { run } = await started;
    await target.client.call(signalRun, {
      params: { agent: target.agentId, run: this.id },
      body: { signal: name, instance_id: run.instance_id },
      signal: this.#signal,
    });
  }

  /** Kills all processes of the run. */
  async kill(): Promise<void> {
    await this.signal("SIGKILL");
  }

  /** Resizes its terminal. */
  resize(size: TerminalSize): void {
    this.#controls.size = size;
    if (this.#controls.socket !== undefined) sendSize(this.#controls.socket, size);
  }

  /** Iterates once more, from the first position, without calling back. */
  #again(): AsyncGenerator<RunOutput, void, undefined> {
    const { onStdout: _, onStderr: __, ...options } = this.#needs.options;
    return new RunHandle({ ...this.#needs, options }).#outputs();
  }

  /** Follows the run for its result, unless something else does. */
  #collect(): void {
    if (this.#isFollowed) return;
    this.#isFollowed = true;
    void this.#drain(this.#outputs());
  }

  async #drain(outputs: AsyncGenerator<RunOutput, void, undefined>): Promise<void> {
    try {
      for await (const _ of outputs);
    } catch {
      // The result is rejected with it.
    }
  }

  async *#outputs(): AsyncGenerator<RunOutput, void, undefined> {
    let isOver = false;
    try {
      const parts = this.#parts();
      for (;;) {
        const next = await parts.next();
        if (next.done === true) {
          isOver = true;
          this.#result.resolve(this.#collector.result(next.value));
          return;
        }
        if (next.value.type === "output") {
          yield this.#deliver(next.value);
        } else {
          this.#position += next.value.bytes;
          this.#collector.miss();
        }
      }
    } catch (error) {
      isOver = true;
      this.#result.reject(error);
      throw error;
    } finally {
      // An iteration that was broken off leaves the rest to those who await the result.
      if (!isOver) this.#isFollowed = false;
    }
  }

  #deliver({ stream, position, bytes }: RunPart & { readonly type: "output" }): RunOutput {
    const text = this.#collector.add(stream, bytes);
    this.#position = position + bytes.length;
    const output = { seq: this.#position, stream, data: bytes, text };
    const { onStdout, onStderr } = this.#needs.options;
    if (text !== "") (stream === "stdout" ? onStdout : onStderr)?.(text, output);
    return output;
  }

  async *#parts(): AsyncGenerator<RunPart, Run, undefined> {
    const { target, started, id } = this.#needs;
    const page = await started;
    this.#signal.throwIfAborted();
    // The first output came with the answer.
    if (this.#position === this.#needs.after && page.chunks !== undefined) {
      const { missed_bytes: missed = 0, is_complete: isComplete = false } = page;
      if (missed > 0) yield { type: "missed", bytes: missed };
      yield* outputsOf(page.chunks);
      if (isComplete) {
        this.#controls.input.finish();
        return page.run;
      }
    }
    return yield* followRun({
      target,
      runId: id,
      instanceId: page.run.instance_id,
      after: this.#position,
      controls: this.#controls,
      signal: this.#signal,
    });
  }
}
