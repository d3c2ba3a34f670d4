import type { Clock } from "@slipway/runtime";
import { ApiError, ConnectError } from "@slipway/sdk/http";

/** Several streams of one server break together; that is one loss. */
const togetherMs = 2_000;

/** Says "connection lost" once per loss, however many streams broke and however often coming back was tried. */
export class LossNotice {
  readonly #say: (text: string) => void;
  readonly #clock: Clock;
  readonly #lost = new Set<string>();
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(say: (text: string) => void, clock: Clock) {
    this.#say = say;
    this.#clock = clock;
  }

  /** A stream was lost, or could not be opened again. */
  lost(stream: string, error: unknown): void {
    const isAttempt = error instanceof ConnectError || error instanceof ApiError;
    const isKnown = isAttempt && this.#lost.has(stream);
    this.#lost.add(stream);
    if (isKnown || this.#clock.monotonic() - this.#saidMs < togetherMs) return;
    this.#saidMs = this.#clock.monotonic();
    this.#say("connection lost, reconnecting…");
  }

  /** Something came: the stream is there again. */
  arrived(stream: string): void {
    this.#lost.delete(stream);
  }
}
