import { randomUUID } from "node:crypto";

import {
  type BuildHold,
  type DriverBuild,
  DriverError,
  type DriverLog,
  type DriverLogLevel,
} from "@slipway/drivers";
import { type Clock, errorText, Scope } from "@slipway/runtime";

import { JobLost } from "../../platform/jobs/job-lease.ts";
import { JobCanceled, JobUnfinished } from "../../platform/jobs/worker.ts";
import { CallParts, type PartBudget } from "./call-parts.ts";
import { driverError } from "./driver-error-json.ts";
import { type MessageChannel, sendPart } from "./message-channel.ts";
import type {
  AnswerMessage,
  CallMethod,
  EndMessage,
  PartName,
  ProvisionerMessage,
  RequestMessage,
  ServerMessage,
} from "./session-messages.ts";

/** A call of a driver's method. */
export interface RemoteCall {
  readonly job: string;
  readonly method: CallMethod;
  readonly parts: Readonly<Partial<Record<PartName, Uint8Array>>>;
  readonly log: DriverLog;
  /** Resolves when the log has room for more. */
  readonly room: () => Promise<void>;
  /** The build, whose state is kept and whose lease is held; undefined for a reading. */
  readonly build: Pick<DriverBuild, "keepState" | "hold"> | undefined;
}

/** The parts of a result. */
export interface RemoteResult {
  readonly result: Uint8Array | undefined;
  readonly state: Uint8Array | undefined;
  readonly notes: Uint8Array | undefined;
}

interface CallsOptions {
  readonly clock: Clock;
  readonly budget: PartBudget;
}

/** The characters that the log of one call may have: a driver logs at most a million for each of its few programs. */
const maxLogChars = 8 * 1024 * 1024;
/** The stages of one call that are measured. */
const maxStages = 16;
/** The time for a provisioner to end a call that was canceled: its program has five minutes to save its state. */
const cancelMs = 360_000;
/** The time for a call: three runs of the longest time. */
const maxCallMs = 4 * 3_600_000;
const levels: ReadonlySet<string> = new Set<DriverLogLevel>(["debug", "info", "warn", "error"]);

/** The server's end of the calls in one session of a provisioner. Its opener disposes of it. */
export class RemoteCalls implements AsyncDisposable {
  readonly #channel: MessageChannel<ProvisionerMessage, ServerMessage>;
  readonly #options: CallsOptions;
  readonly #open = new Map<string, OpenCall>();
  readonly #scope = new Scope();

  constructor(channel: MessageChannel<ProvisionerMessage, ServerMessage>, options: CallsOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  /**
   * Has a call carried out. Rejects with `DriverError`, with `JobUnfinished` when the session ends first, and with the
   * signal's reason. A canceled call ends when its provisioner has ended it. When the server stops, the provisioner goes on,
   * and a later session continues the call.
   */
  async call(request: RemoteCall, signal: AbortSignal): Promise<RemoteResult> {
    const id = randomUUID();
    await using call = new OpenCall(request, this.#options.budget);
    this.#open.set(id, call);
    try {
      const result = this.#outcome(id, call, signal);
      // Its failure is thrown below.
      result.catch(() => undefined);
      await this.#begin(id, request);
      return await result;
    } finally {
      this.#open.delete(id);
    }
  }

  /** Handles a message about a call. */
  async receive(
    message: Exclude<ProvisionerMessage, { readonly type: "drain" | "alive" }>,
  ): Promise<void> {
    const call = this.#open.get(message.call);
    switch (message.type) {
      case "piece": {
        const problem = call?.parts.add(message);
        if (problem !== undefined) this.#refuse(message.call, problem);
        return;
      }
      case "log":
        if (call !== undefined) await this.#log(message.call, call, message.lines);
        return;
      case "measured":
        if (call === undefined || call.stages === maxStages) return;
        call.stages += 1;
        call.request.log.measured?.(message.timing);
        return;
      case "request":
        return this.#request(call, message);
      case "end":
        call?.end(message);
    }
  }

  async #begin(id: string, { job, method, parts }: RemoteCall): Promise<void> {
    try {
      for (const [part, bytes] of Object.entries(parts)) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of the record
        await sendPart(this.#channel, id, part as PartName, bytes);
      }
      await this.#channel.send({ type: "call", call: id, job, method });
    } catch (error) {
      if (!this.#channel.signal.aborted) throw error;
    }
  }

  async #outcome(id: string, call: OpenCall, signal: AbortSignal): Promise<RemoteResult> {
    const { clock } = this.#options;
    const over = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const late = (ms: number, error: unknown): void =>
      void clock.sleep(ms, over.signal).then(
        () => reject(error),
        () => undefined,
      );
    late(maxCallMs, new DriverError("run-failed", "the provisioner did not end the run in time"));
    const onLeft = (): void => reject(new JobUnfinished());
    const onAbort = (): void => {
      const reason: unknown = signal.reason;
      if (reason instanceof JobCanceled || reason instanceof JobLost)
        this.#abort(id, reason.message);
      if (reason instanceof JobCanceled) late(cancelMs, reason);
      else reject(reason);
    };
    const listening = { once: true, signal: over.signal };
    this.#channel.signal.addEventListener("abort", onLeft, listening);
    signal.addEventListener("abort", onAbort, listening);
    if (this.#channel.signal.aborted) onLeft();
    if (signal.aborted) onAbort();
    try {
      return await Promise.race([call.ended, promise]);
    } catch (error) {
      // The provisioner reports its own end of the call.
      if (error instanceof DriverError) signal.throwIfAborted();
      throw error;
    } finally {
      over.abort();
    }
  }

  async #log(
    id: string,
    call: OpenCall,
    lines: readonly (readonly [DriverLogLevel, string, string])[],
  ): Promise<void> {
    for (const [level, stage, line] of lines) {
      call.logChars += line.length + stage.length + 1;
      if (call.logChars > maxLogChars) {
        return this.#refuse(id, `the provisioner logged more than ${maxLogChars} characters`);
      }
      call.request.log.write(levels.has(level) ? level : "info", stage, line);
    }
    await call.request.room();
  }

  #request(call: OpenCall | undefined, message: RequestMessage): void {
    if (call?.isBusy === true) {
      return this.#channel.close(1008, "a second request of a call before the first was answered");
    }
    if (call !== undefined) call.isBusy = true;
    this.#scope.run(async () => {
      const answer = await answerTo(call, message, this.#options.clock);
      if (call !== undefined) call.isBusy = false;
      const { call: id, request } = message;
      await this.#send({ type: "answer", call: id, request, ...answer });
    });
  }

  /** Ends a call that breaks a limit. */
  #refuse(id: string, problem: string): void {
    this.#open
      .get(id)
      ?.end({ type: "end", call: id, error: { code: "run-failed", message: problem } });
    this.#abort(id, problem);
  }

  #abort(call: string, reason: string): void {
    this.#scope.run(() => this.#send({ type: "abort", call, reason }));
  }

  /** Sends a message that is of no use once the session has ended. */
  async #send(message: ServerMessage): Promise<void> {
    await this.#channel.send(message).catch(() => undefined);
  }
}

type Answer = Pick<AnswerMessage, "error" | "isLost" | "renewedAgoMs">;

async function answerTo(
  call: OpenCall | undefined,
  message: RequestMessage,
  clock: Pick<Clock, "now">,
): Promise<Answer> {
  const build = call?.request.build;
  if (call === undefined || build === undefined) {
    return { error: "the call has ended, or is of no build", isLost: true };
  }
  try {
    switch (message.what) {
      case "keep": {
        const state = call.parts.take("state");
        if (state === undefined) return { error: "a state must be sent before it is kept" };
        await build.keepState(state);
        return {};
      }
      case "hold": {
        const { lastsMs, patienceMs } = message;
        if (lastsMs === undefined || patienceMs === undefined || patienceMs > lastsMs) {
          return { error: "a hold has times, and its patience ends before it does" };
        }
        await call.release();
        call.hold = await build.hold({ lastsMs, patienceMs });
        return agoOf(call, clock);
      }
      case "renewal":
        return agoOf(call, clock);
      case "release":
        await call.release();
        return {};
    }
  } catch (error) {
    return { error: errorText(error), isLost: error instanceof JobLost };
  }
}

function agoOf({ hold }: OpenCall, clock: Pick<Clock, "now">): Answer {
  if (hold === undefined) return { error: "the lease is not held" };
  return { renewedAgoMs: Math.max(0, clock.now() - hold.renewedAtMs()) };
}

/** A call that has not ended. */
class OpenCall implements AsyncDisposable {
  readonly request: RemoteCall;
  readonly parts: CallParts;
  readonly #end = Promise.withResolvers<RemoteResult>();
  logChars = 0;
  stages = 0;
  hold: BuildHold | undefined;
  /** True while a request is answered. */
  isBusy = false;

  constructor(request: RemoteCall, budget: PartBudget) {
    this.request = request;
    this.parts = new CallParts(budget);
    // It may fail before anyone waits for it.
    this.#end.promise.catch(() => undefined);
  }

  get ended(): Promise<RemoteResult> {
    return this.#end.promise;
  }

  end({ error }: EndMessage): void {
    if (error !== undefined) return this.#end.reject(driverError(error));
    this.#end.resolve({
      result: this.parts.take("result"),
      state: this.parts.take("state"),
      notes: this.parts.take("notes"),
    });
  }

  async release(): Promise<void> {
    const { hold } = this;
    this.hold = undefined;
    await hold?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.parts[Symbol.dispose]();
    await this.release();
  }
}
