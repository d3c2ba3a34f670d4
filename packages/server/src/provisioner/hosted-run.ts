import type { BuildHold, DriverBuild, DriverLog, LeaseTimes, StageTiming } from "@slipway/drivers";
import { abortable, type Clock, countText, Scope, Turnstile, Waiters } from "@slipway/runtime";

import { usualSizes } from "../features/provisioners/call-parts.ts";
import { driverErrorJson } from "../features/provisioners/driver-error-json.ts";
import {
  type AnswerMessage,
  listParts,
  maxMessageBytes,
  type PartName,
  type Parts,
} from "../features/provisioners/session-messages.ts";
import { momentBefore, momentOf, RenewalTime } from "../platform/jobs/renewal-time.ts";
import type { CallLink, CallRequest, LogLines } from "./call-link.ts";

/** The time between looks at how old the lease is. */
const renewMs = 1_000;
const gatherLogMs = 25;
/** The time between requests for room for a large state. */
const roomMs = 1_000;
/** The lines of one message, and the characters from which it has no more of them. */
const maxLines = 200;
const maxChars = 96 * 1024;
/** The lines that wait for a session; what comes beyond them is not shown. */
const maxWaitingLines = 20_000;

/** The end of a run whose job is another attempt's by now, or whose provisioner was cut off for too long. */
export class RunLost extends Error {
  override readonly name = "RunLost";
  readonly code = "run-lost";
}

interface RunOptions {
  readonly clock: Clock;
  /** The time that the run goes on without a session. */
  readonly maxDetachedMs: number;
}

/**
 * One run of a driver. It outlives the session in which it was called: what it asks waits until another session has called
 * for the same job, which shows that the job is still this provisioner's.
 */
export class HostedRun implements Pick<DriverBuild, "keepState" | "hold"> {
  readonly #options: RunOptions;
  readonly #controller = new AbortController();
  /** Aborted when no session will take what the run asks. */
  readonly #abandoned = new AbortController();
  readonly #linked = new Waiters();
  readonly #turns = new Turnstile((inside) => inside === 0);
  readonly #ended = Promise.withResolvers<void>();
  #link: CallLink | undefined;
  #lines: LogLines[number][] = [];
  readonly #timings: StageTiming[] = [];
  #lostLines = 0;
  /** True if another run of the job takes its place. */
  #isReplaced = false;
  #writing: Promise<void> | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** Aborted when the run is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves when the run has ended, whether or not its result was taken. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  readonly log: DriverLog = {
    write: (level, stage, line) => {
      if (this.#lines.length < maxWaitingLines) this.#lines.push([level, stage, line]);
      else this.#lostLines += 1;
      this.#writing ??= this.#write();
    },
    measured: (timing) => {
      this.#timings.push(fitting(timing));
      this.#writing ??= this.#write();
    },
  };

  /** Connects the run with a call. */
  attach(link: CallLink): void {
    this.#link = link;
    this.#linked.wakeAll();
    const { clock, maxDetachedMs } = this.#options;
    link.signal.addEventListener(
      "abort",
      () => {
        if (this.#link !== link) return;
        this.#link = undefined;
        void this.#abandonAfter(clock, maxDetachedMs);
      },
      { once: true },
    );
  }

  /** Ends the run; what it keeps meanwhile is still sent. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Ends the run in favor of another one for the same job, by whose call it keeps its state. */
  replace(link: CallLink, reason: unknown): void {
    this.#isReplaced = true;
    this.attach(link);
    this.abort(reason);
  }

  /** Ends the run, whose job is no longer this provisioner's: what it keeps stays on this machine. */
  abandon(reason: unknown): void {
    this.#abandoned.abort(reason);
    this.#controller.abort(reason);
  }

  /** Carries the task out, and sends its result to the call of that time. Never rejects. */
  async carryOut(task: () => Promise<Parts>): Promise<void> {
    try {
      const outcome = await task().then(
        (parts) => ({ parts, error: undefined }),
        (error: unknown) => ({ parts: {}, error: driverErrorJson(error) }),
      );
      await this.#inSession(async (link) => {
        await this.#flush();
        if (this.#isReplaced) return;
        for (const [part, bytes] of listParts(outcome.parts)) {
          await this.#sendPart(link, part, bytes);
        }
        await link.sendEnd(outcome.error);
      });
    } catch {
      // No session takes the result: another attempt starts from the beginning.
    } finally {
      this.#abandoned.abort(new RunLost("the run has ended"));
      this.#ended.resolve();
    }
  }

  readonly keepState = async (state: Uint8Array): Promise<void> => {
    await this.#inSession(async (link) => {
      // Outside of the turns of requests: a slow connection does not delay the renewals of the lease.
      await this.#sendPart(link, "state", state);
      this.#check(await this.#request(link, { what: "keep" }));
    });
  };

  readonly hold = async (times: LeaseTimes): Promise<BuildHold> => {
    const { clock } = this.#options;
    const renewal = new RenewalTime(clock);
    let holder: CallLink | undefined;
    const renew = async (): Promise<void> => {
      await this.#ask(async (link) => {
        // Before the answer's time, so that the lease seems older rather than younger.
        const asked = momentOf(clock);
        const answer = await this.#request(
          link,
          holder === link ? { what: "renewal" } : { what: "hold", ...times },
        );
        if (answer.renewedAgoMs === undefined) return answer;
        holder = link;
        renewal.note(momentBefore(asked, answer.renewedAgoMs));
        return answer;
      });
    };
    await renew();
    const scope = new Scope();
    scope.run(async (signal) => {
      for (;;) {
        await clock.sleep(renewMs, signal);
        // The guard of the program goes by the last renewal.
        await abortable(renew(), signal).catch(() => undefined);
      }
    });
    return {
      renewedAtMs: () => renewal.wallMs,
      [Symbol.asyncDispose]: async () => {
        await scope.close();
        // Another session holds nothing.
        if (holder === undefined || holder !== this.#link) return;
        await this.#ask((link) => this.#request(link, { what: "release" })).catch(() => undefined);
      },
    };
  };

  /** Asks in the session of the job; after a loss again in the next one. */
  async #ask(ask: (link: CallLink) => Promise<AnswerMessage>): Promise<void> {
    this.#check(await this.#inSession(ask));
  }

  /** Sends one request at a time. */
  #request(link: CallLink, request: CallRequest): Promise<AnswerMessage> {
    return this.#turns.run(this.#abandoned.signal, () => link.request(request));
  }

  /** Sends a part. A large state waits until the server has room for it. */
  async #sendPart(link: CallLink, part: PartName, bytes: Uint8Array): Promise<void> {
    if (part === "state" && bytes.length > usualSizes.state) await this.#takeRoom(link);
    await link.sendPart(part, bytes);
  }

  async #takeRoom(link: CallLink): Promise<void> {
    for (;;) {
      const answer = await this.#request(link, { what: "room" });
      if (answer.isFull !== true) return this.#check(answer);
      await this.#options.clock.sleep(roomMs, this.#abandoned.signal);
    }
  }

  /** Throws the error of an answer. One that the job is lost ends the run. */
  #check(answer: AnswerMessage): void {
    if (answer.error === undefined) return;
    if (answer.isLost !== true) throw new Error(answer.error);
    const lost = new RunLost(answer.error);
    this.abandon(lost);
    throw lost;
  }

  async #inSession<T>(task: (link: CallLink) => Promise<T>): Promise<T> {
    for (;;) {
      const link = await this.#nextLink();
      try {
        return await task(link);
      } catch (error) {
        if (!link.signal.aborted) throw error;
      }
    }
  }

  async #nextLink(): Promise<CallLink> {
    const { signal } = this.#abandoned;
    for (;;) {
      signal.throwIfAborted();
      const link = this.#link;
      if (link !== undefined && !link.signal.aborted) return link;
      await this.#linked.next(signal);
    }
  }

  async #abandonAfter(clock: Clock, ms: number): Promise<void> {
    const attached = new AbortController();
    void this.#linked.next(attached.signal).then(() => attached.abort());
    try {
      await clock.sleep(ms, AbortSignal.any([attached.signal, this.#abandoned.signal]));
    } catch {
      return; // another session has begun, or the run has ended
    }
    attached.abort();
    this.abandon(new RunLost("the connection to the server was lost for too long"));
  }

  async #write(): Promise<void> {
    try {
      await this.#options.clock.sleep(gatherLogMs, this.#abandoned.signal);
      while (this.#lines.length > 0 || this.#timings.length > 0) {
        await this.#inSession((link) => this.#sendLines(link));
      }
    } catch {
      this.#lines = []; // nobody takes them
    } finally {
      this.#writing = undefined;
    }
  }

  async #sendLines(link: CallLink): Promise<void> {
    let chars = 0;
    const count = this.#lines.slice(0, maxLines).findIndex(([, , line], index) => {
      chars += line.length;
      return index > 0 && chars > maxChars;
    });
    const lines = this.#lines.slice(0, count === -1 ? maxLines : count);
    if (lines.length > 0) await link.sendLog(lines);
    this.#lines.splice(0, lines.length);
    const [timing] = this.#timings;
    if (timing !== undefined) await link.sendMeasured(timing);
    this.#timings.shift();
    if (this.#lines.length > 0 || this.#lostLines === 0) return;
    const text = `${countText(this.#lostLines, "line")} left out: the server did not take them`;
    this.#lostLines = 0;
    this.#lines.push(["warn", "", text]);
  }

  async #flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }
}

/** Returns a timing whose message is not too large: with fewer of its steps, if their names are long. */
function fitting(timing: StageTiming): StageTiming {
  const size = Buffer.byteLength(JSON.stringify(timing));
  if (size < maxMessageBytes / 2) return timing;
  return fitting({ ...timing, steps: timing.steps.slice(0, timing.steps.length / 2) });
}
