import type { BuildHold, DriverBuild, DriverLog } from "@slipway/drivers";
import { type Clock, errorText } from "@slipway/runtime";

import { JobLost } from "../../platform/jobs/job-lease.ts";
import { CallParts, parametersSizes, type PartBudget, usualSizes } from "./call-parts.ts";
import { driverError } from "./driver-error-json.ts";
import type {
  AnswerMessage,
  CallMethod,
  EndMessage,
  Parts,
  RequestMessage,
} from "./session-messages.ts";

/** A call of a driver's method. */
export interface RemoteCall {
  readonly job: string;
  readonly method: CallMethod;
  /** Reads what is sent with the call, in its turn to be sent. */
  readonly readParts: () => Promise<Parts>;
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

type Answer = Omit<AnswerMessage, "type" | "call" | "request">;

/** Answers a request about a call; undefined for one that has ended. */
export async function answerTo(
  call: OpenCall | undefined,
  message: RequestMessage,
  clock: Pick<Clock, "now" | "monotonic">,
  onOverdue: () => void,
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
        try {
          await build.keepState(state);
        } finally {
          call.parts.leaveRoom();
        }
        return {};
      }
      case "room":
        if (call.parts.takeRoom(clock.monotonic(), onOverdue)) return {};
        return { error: "other provisioners are sending large states", isFull: true };
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
export class OpenCall implements AsyncDisposable {
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
    const sizes = request.method === "parameters" ? parametersSizes : usualSizes;
    this.parts = new CallParts(budget, sizes);
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
