import { randomUUID } from "node:crypto";

import { DriverError, type DriverLogLevel } from "@slipway/drivers";
import { type Clock, Scope, Turnstile } from "@slipway/runtime";

import { JobLost } from "../../platform/jobs/job-lease.ts";
import { JobCanceled, JobUnfinished } from "../../platform/jobs/worker.ts";
import type { PartBudget } from "./call-parts.ts";
import { type MessageChannel, sendPart } from "./message-channel.ts";
import { answerTo, OpenCall, type RemoteCall, type RemoteResult } from "./open-call.ts";
import type { Sending, SendRoom } from "./send-room.ts";
import {
  listParts,
  type PieceMessage,
  type ProvisionerMessage,
  type RequestMessage,
  type ServerMessage,
} from "./session-messages.ts";

interface CallsOptions {
  readonly clock: Clock;
  readonly budget: PartBudget;
  /** The room for what is sent, which the sessions of all keys share. */
  readonly room: SendRoom;
  /** The key of the session. */
  readonly keyId: string;
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
  /** Calls are sent one after another, so that both ends hold the parts of few. */
  readonly #sending = new Turnstile((inside) => inside === 0);
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
      const begun = this.#sending.run(signal, () => this.#begin(id, request, signal));
      const result = this.#outcome(id, call, begun, signal);
      // Their failures are thrown below.
      result.catch(() => undefined);
      begun.catch(() => undefined);
      await Promise.race([begun, result]);
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

  async #begin(id: string, request: RemoteCall, signal: AbortSignal): Promise<void> {
    const { room, keyId } = this.#options;
    const onSlow = (): void =>
      this.#channel.close(1013, "the provisioner reads too slowly while others wait");
    try {
      const either = AbortSignal.any([signal, this.#channel.signal]);
      await room.run({ keyId, onSlow }, either, (sending) => this.#sendParts(id, request, sending));
      const { job, method } = request;
      await this.#channel.send({ type: "call", call: id, job, method });
    } catch (error) {
      if (!this.#channel.signal.aborted) throw error;
    }
  }

  async #sendParts(id: string, { readParts }: RemoteCall, sending: Sending): Promise<void> {
    const parts = listParts(await readParts());
    sending.begin(parts.reduce((sum, [, bytes]) => sum + bytes.length, 0));
    const channel = {
      send: async (piece: PieceMessage): Promise<void> => {
        await this.#channel.send(piece);
        sending.advance(Buffer.byteLength(piece.data, "base64"));
      },
    };
    for (const [part, bytes] of parts) await sendPart(channel, id, part, bytes);
  }

  async #outcome(
    id: string,
    call: OpenCall,
    begun: Promise<void>,
    signal: AbortSignal,
  ): Promise<RemoteResult> {
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
      if (reason instanceof JobCanceled || reason instanceof JobLost) {
        // The provisioner knows nothing of a call that has not begun.
        begun.then(
          () => this.#abort(id, reason.message),
          () => undefined,
        );
      }
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
    const onOverdue = (): void => {
      this.#refuse(message.call, "the provisioner did not send the state in time");
    };
    this.#scope.run(async () => {
      const answer = await answerTo(call, message, this.#options.clock, onOverdue);
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
