import type { Clock } from "@slipway/runtime";
import { ApiError, ConnectError } from "@slipway/sdk/http";

/** Several streams of one server break together; that is one loss. */
const togetherMs = 2_000;

/** Reports "connection lost" once per loss, however many streams broke and however often they tried to reconnect. */
export class LossNotice {
  readonly #say: (text: string) => void;
  readonly #clock: Clock;
  readonly #lost = new Set<string>();
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(say: (text: string) => void, clock: Clock) {
    this.#say = say;
    this.#clock = clock;
  }

  /** Reports that a stream was lost, or could not be reopened. */
  lost(stream: string, error: unknown): void {
    const isAttempt = error instanceof ConnectError || error instanceof ApiError;
    const isKnown = isAttempt && this.#lost.has(stream);
    this.#lost.add(stream);
    if (isKnown || this.#clock.monotonic() - this.#saidMs < togetherMs) return;
    this.#saidMs = this.#clock.monotonic();
    this.#say("connection lost, reconnecting…");
  }

  /** Reports that something arrived: the stream is back. */
  arrived(stream: string): void {
    this.#lost.delete(stream);
  }
}
