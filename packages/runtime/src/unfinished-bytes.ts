/** The shared owner of everything that unknown clients hold: they could invent any number of owners. */
export const strangers = "strangers";

/** The bytes of one connection's unfinished message. Its owner disposes of it with the connection. */
export interface UnfinishedShare extends Disposable {
  /** Sets the number of bytes that wait for the rest of their message; 0 once it is complete. */
  set(bytes: number, nowMs: number): void;
}

export interface UnfinishedLimits {
  /** The maximum number of waiting bytes in total. */
  readonly maxBytes: number;
  /** The timeout of a message from its first byte to its last. */
  readonly timeoutMs: number;
}

/** The reason for cutting off a connection. */
export type UnfinishedExcess = "too-slow" | "too-many-bytes";

interface Holder {
  readonly owner: string;
  readonly cutOff: (excess: UnfinishedExcess) => void;
  bytes: number;
  sinceMs: number;
}

/**
 * Counts the bytes of unfinished messages of a process, over any transport: WebSockets, RPCs, frames, bodies.
 * Beyond the limit, the owner that holds most loses the connection whose message has waited longest, so that no owner
 * crowds out another. Times are milliseconds of a monotonic clock.
 */
export class UnfinishedBytes {
  readonly #limits: UnfinishedLimits;
  /** The shares that hold something, in the order in which their messages began. */
  readonly #holders = new Set<Holder>();
  readonly #bytesByOwner = new Map<string, number>();
  #bytes = 0;

  constructor(limits: UnfinishedLimits) {
    this.#limits = limits;
  }

  /** The total of waiting bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Opens the share of a connection. `cutOff` ends the connection immediately, and must not throw. */
  open(owner: string, cutOff: (excess: UnfinishedExcess) => void): UnfinishedShare {
    const holder = { owner, cutOff, bytes: 0, sinceMs: 0 };
    return {
      set: (bytes, nowMs) => this.#set(holder, bytes, nowMs),
      [Symbol.dispose]: () => this.#set(holder, 0, 0),
    };
  }

  /** Cuts off the connections whose messages are overdue; call it every few seconds. */
  cutOffOverdue(nowMs: number): void {
    for (const holder of this.#holders) {
      if (nowMs - holder.sinceMs < this.#limits.timeoutMs) return;
      this.#cutOff(holder, "too-slow");
    }
  }

  #set(holder: Holder, bytes: number, nowMs: number): void {
    if (bytes === holder.bytes) return;
    this.#count(holder, bytes, nowMs);
    while (this.#bytes > this.#limits.maxBytes) {
      this.#cutOff(this.#mostWasteful(), "too-many-bytes");
    }
  }

  #count(holder: Holder, bytes: number, nowMs: number): void {
    if (holder.bytes === 0) {
      holder.sinceMs = nowMs;
      this.#holders.add(holder);
    } else if (bytes === 0) this.#holders.delete(holder);
    this.#add(holder.owner, bytes - holder.bytes);
    holder.bytes = bytes;
  }

  #add(owner: string, bytes: number): void {
    this.#bytes += bytes;
    const ofOwner = (this.#bytesByOwner.get(owner) ?? 0) + bytes;
    if (ofOwner === 0) this.#bytesByOwner.delete(owner);
    else this.#bytesByOwner.set(owner, ofOwner);
  }

  #cutOff(holder: Holder | undefined, excess: UnfinishedExcess): void {
    if (holder === undefined) return;
    this.#count(holder, 0, 0);
    holder.cutOff(excess);
  }

  /** Returns the longest waiting holder of the owner that holds most. */
  #mostWasteful(): Holder | undefined {
    const [most] = [...this.#bytesByOwner].reduce((one, other) =>
      other[1] > one[1] ? other : one,
    );
    return this.#holders.values().find(({ owner }) => owner === most);
  }
}
