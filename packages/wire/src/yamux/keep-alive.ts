import { YamuxError } from "./events.ts";

/** The interval between pings (docs/protocol/rpc.md §2.2). */
const keepAliveIntervalMs = 30_000;

/** The time without a pong after which the session is dead. */
const pongTimeoutMs = 10_000;

/*
 *   unstarted --first time seen--> resting --30 s--> waiting for pong --pong--> resting
 *                                                       \--10 s--> throws
 */
type KeepAliveState =
  | { readonly type: "unstarted" }
  | { readonly type: "resting"; readonly nextPingAt: number }
  | { readonly type: "waiting"; readonly pingId: number; readonly sentAt: number };

/** Decides when to ping and when to give up. */
export class KeepAlive {
  #state: KeepAliveState = { type: "unstarted" };

  /** Returns the time of the next `tick`: immediately until a first time was seen. */
  nextWake(): number {
    switch (this.#state.type) {
      case "unstarted":
        return 0;
      case "resting":
        return this.#state.nextPingAt;
      case "waiting":
        return this.#state.sentAt + pongTimeoutMs;
    }
  }

  /** Starts the clock unless it is running. */
  start(now: number): void {
    if (this.#state.type === "unstarted") {
      this.#state = { type: "resting", nextPingAt: now + keepAliveIntervalMs };
    }
  }

  /** Pings with `sendPing`, which returns the ping's id, when it is due. Throws "keep-alive-timeout". */
  tick(now: number, sendPing: () => number): void {
    this.start(now);
    if (now < this.nextWake()) return;
    if (this.#state.type === "waiting") {
      throw new YamuxError(
        "keep-alive-timeout",
        `no pong ${String(now - this.#state.sentAt)} ms after the ping, wanted within ${String(pongTimeoutMs)} ms`,
      );
    }
    this.#state = { type: "waiting", pingId: sendPing(), sentAt: now };
  }

  /** Returns true if the pong answers the keep-alive rather than another caller's ping. */
  pong(id: number): boolean {
    if (this.#state.type !== "waiting" || this.#state.pingId !== id) return false;
    this.#state = { type: "resting", nextPingAt: this.#state.sentAt + keepAliveIntervalMs };
    return true;
  }
}
