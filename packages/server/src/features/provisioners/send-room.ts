import { type Clock, Rotation } from "@slipway/runtime";

interface SendLimits {
  /** The bytes of all calls that are being sent. */
  readonly maxBytes: number;
  /** The room that a call takes until its bytes are known. */
  readonly maxCallBytes: number;
}

/** The speed that a call must have while others wait for its room. */
const minBytesPerSecond = 128 * 1024;
/** The time that a call may be behind that speed. No burst brings it further ahead, nor does any pause set it further back. */
const graceMs = 15_000;
const lookMs = 1_000;

/** A call that asks for room. */
interface Sender {
  /** The key of its provisioner. */
  readonly keyId: string;
  /** Called at most once, if its provisioner reads too slowly while others wait; ends the task. */
  readonly onSlow: () => void;
}

/** A call that has room. */
export interface Sending {
  /** Notes the bytes to send, which were read; the rest of the room is given back. */
  begin(bytes: number): void;
  /** Notes bytes that were sent. */
  advance(bytes: number): void;
}

interface OpenSending extends Sender {
  /** The time from which it is too slow, by what was sent lately; undefined while the call is read. */
  slowAtMs: number | undefined;
  bytes: number;
  isTold: boolean;
}

/**
 * Bounds the bytes that a server holds until provisioners have taken them. A key has at most half of what the others leave, so
 * that there is room for another key, and keys take turns.
 */
export class SendRoom {
  readonly #limits: SendLimits;
  readonly #clock: Pick<Clock, "monotonic" | "sleep">;
  readonly #open = new Set<OpenSending>();
  /** The calls that wait, whose keys take turns. */
  readonly #waiting = new Rotation<() => void>();
  #looking: AbortController | undefined;

  constructor(limits: SendLimits, clock: Pick<Clock, "monotonic" | "sleep">) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Runs a task that reads a call and sends it, in its turn. Rejects with the signal's reason if it is aborted before. */
  async run(
    sender: Sender,
    signal: AbortSignal,
    task: (sending: Sending) => Promise<void>,
  ): Promise<void> {
    signal.throwIfAborted();
    const one = await this.#enter(sender, signal);
    const sending: Sending = {
      begin: (bytes) => {
        one.bytes = bytes;
        one.slowAtMs = this.#clock.monotonic() + graceMs;
        this.#advance();
      },
      advance: (bytes) => {
        const nowMs = this.#clock.monotonic();
        const fromMs = Math.max(one.slowAtMs ?? nowMs, nowMs - graceMs);
        one.slowAtMs = Math.min(fromMs + (bytes / minBytesPerSecond) * 1000, nowMs + graceMs);
      },
    };
    try {
      await task(sending);
    } finally {
      this.#open.delete(one);
      this.#advance();
    }
  }

  #enter(sender: Sender, signal: AbortSignal): Promise<OpenSending> {
    const { keyId } = sender;
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener("abort", leave);
        const bytes = this.#limits.maxCallBytes;
        const one = { ...sender, slowAtMs: undefined, bytes, isTold: false };
        this.#open.add(one);
        resolve(one);
      };
      const leave = (): void => {
        this.#waiting.remove(keyId, enter);
        this.#advance();
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(keyId, enter);
      this.#advance();
    });
  }

  /** Lets calls enter that have room, one of each key in rotation. */
  #advance(): void {
    this.#waiting.take(
      (keyId) => {
        const blocking = this.#blocking(keyId);
        // No call of another key has room either.
        if (blocking === "all") return "stop";
        return blocking === "own" ? "wait" : "take";
      },
      (enter) => enter(),
    );
    if (this.#waiting.isEmpty) {
      this.#looking?.abort();
      this.#looking = undefined;
    } else if (this.#looking === undefined) {
      this.#looking = new AbortController();
      // Rejects only when it is aborted.
      this.#look(this.#looking.signal).catch(() => undefined);
    }
  }

  /** Returns the calls that leave no room for another one of a key: all, or only its own. */
  #blocking(keyId: string): "all" | "own" | undefined {
    const { maxBytes, maxCallBytes } = this.#limits;
    let all = 0;
    let own = 0;
    for (const one of this.#open) {
      all += one.bytes;
      if (one.keyId === keyId) own += one.bytes;
    }
    if (all + maxCallBytes > maxBytes) return "all";
    if (own > 0 && own + maxCallBytes > (maxBytes - (all - own)) / 2) return "own";
    return undefined;
  }

  /** Looks from time to time for calls that are too slow, until the signal is aborted. */
  async #look(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(lookMs, signal);
      for (const keyId of this.#waiting.owners()) this.#tellSlow(keyId);
    }
  }

  #tellSlow(keyId: string): void {
    const blocking = this.#blocking(keyId);
    for (const one of this.#open) {
      const isInTheWay = blocking === "all" || (blocking === "own" && one.keyId === keyId);
      if (!isInTheWay || one.isTold || !this.#isSlow(one)) continue;
      one.isTold = true;
      one.onSlow();
    }
  }

  #isSlow({ slowAtMs }: OpenSending): boolean {
    return slowAtMs !== undefined && this.#clock.monotonic() > slowAtMs;
  }
}
