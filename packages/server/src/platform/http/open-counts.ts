import { addressKey } from "../fields/address.ts";

/** The maximum numbers open at the same time. */
export interface OpenLimits {
  readonly perAddress: number;
  readonly inAll: number;
}

/** A place, held until it is disposed of, or the limit that was reached: that of the address, or the total. */
export type PlaceOrLimit = Disposable | "address" | "all";

/** Counts what clients have open: connections, streams or calls. A client is an address, or the id of a user. */
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

  /** Takes a place; without an address it counts only toward the total. Disposing of it twice is harmless. */
  take(address: string | undefined): PlaceOrLimit {
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
