import { addressKey } from "./rate-limit.ts";

/** The most that may be open at once. */
export interface OpenLimits {
  readonly perAddress: number;
  readonly inAll: number;
}

/** A place that was taken, until it is disposed of; or what is full: all places of the address, or all there are. */
export type Taken = Disposable | "address" | "all";

/** Counts what is open, by the address that opened it. */
export class OpenCounts {
  readonly #limits: OpenLimits;
  readonly #byAddress = new Map<string, number>();
  #inAll = 0;

  constructor(limits: OpenLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#inAll;
  }

  /** Takes a place; without an address it counts in all only. Disposing of it again changes nothing. */
  take(address: string | undefined): Taken {
    const key = address === undefined ? undefined : addressKey(address);
    const others = key === undefined ? 0 : (this.#byAddress.get(key) ?? 0);
    if (others >= this.#limits.perAddress) return "address";
    if (this.#inAll >= this.#limits.inAll) return "all";
    this.#inAll += 1;
    if (key !== undefined) this.#byAddress.set(key, others + 1);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#inAll -= 1;
        if (key !== undefined) this.#giveBack(key);
      },
    };
  }

  #giveBack(key: string): void {
    const others = (this.#byAddress.get(key) ?? 0) - 1;
    if (others > 0) this.#byAddress.set(key, others);
    else this.#byAddress.delete(key);
  }
}
