import { CodedError } from "@slipway/runtime";

import type { PingAnswer } from "./path-action.ts";

interface PendingPing {
  readonly peerKey: string;
  readonly resolve: (answer: PingAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** The callers that wait for an answer to their pings. */
export class PendingPings {
  readonly #pings = new Map<number, PendingPing>();
  #lastId = 0;

  add(peerKey: string): { readonly id: number; readonly answer: Promise<PingAnswer> } {
    const { promise, resolve, reject } = Promise.withResolvers<PingAnswer>();
    this.#lastId += 1;
    this.#pings.set(this.#lastId, { peerKey, resolve, reject });
    // A caller that was refused or has given up does not await it.
    promise.catch(() => undefined);
    return { id: this.#lastId, answer: promise };
  }

  resolve(id: number, answer: PingAnswer): void {
    this.#pings.get(id)?.resolve(answer);
  }

  delete(id: number): void {
    this.#pings.delete(id);
  }

  /** Ends the pings of a peer that was removed. */
  rejectOf(peerKey: string): void {
    for (const ping of this.#pings.values()) {
      if (ping.peerKey === peerKey) {
        ping.reject(new PathError("peer-removed", "the peer was removed while it was pinged"));
      }
    }
  }

  rejectAll(): void {
    for (const { reject } of this.#pings.values()) {
      reject(new PathError("closed", "the driver of the paths is closed"));
    }
  }
}

/**
 * The reason why a ping was refused or ended:
 * - `unknown-peer`: no peer has that key.
 * - `too-many-pings`: too many pings of that peer are waiting.
 * - `peer-removed`: the peer was removed, or restarted.
 * - `closed`: the driver is closed.
 */
export type PathErrorCode = "unknown-peer" | "too-many-pings" | "peer-removed" | "closed";

const retryableCodes: ReadonlySet<PathErrorCode> = new Set(["too-many-pings", "peer-removed"]);

export class PathError extends CodedError<PathErrorCode> {
  override readonly name = "PathError";

  /** True if the same call may succeed later. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}
