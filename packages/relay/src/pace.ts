import { TokenBucket, TokenBuckets } from "@slipway/runtime";

import {
  allStrangersRate,
  sliceCostBytes,
  strangerRate,
  strangersOfAddressRate,
  strangerSliceCostBytes,
} from "./limits.ts";

/** The number of addresses counted individually. */
const maxAddresses = 10_000;

/** The budgets that strangers share: anyone can create any number of keys. */
export class StrangerBudgets {
  readonly #all = new TokenBucket(allStrangersRate);
  readonly #byAddress = new TokenBuckets(strangersOfAddressRate, maxAddresses);

  /** Charges a cost; returns the milliseconds until all debts are paid. */
  take(address: string, cost: number, nowMs: number): number {
    const ofAddress = this.#byAddress.of(address, nowMs).take(cost, nowMs);
    return Math.max(ofAddress, this.#all.take(cost, nowMs));
  }
}

interface PaceOptions {
  readonly address: string;
  /** The costs per second that it may cause as a peer; `Infinity` is unlimited. */
  readonly maxBytesPerSecond: number;
  readonly budgets: StrangerBudgets;
}

/** The pace at which one client is read, by the costs that it causes. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #asPeer: TokenBucket | undefined;
  readonly #asStranger = new TokenBucket(strangerRate);
  isStranger: boolean;

  constructor(isStranger: boolean, options: PaceOptions) {
    const { maxBytesPerSecond: perSecond } = options;
    this.isStranger = isStranger;
    this.#options = options;
    if (perSecond !== Infinity) this.#asPeer = new TokenBucket({ burst: perSecond, perSecond });
  }

  /** The cost after which it is the turn of others. */
  get sliceCostBytes(): number {
    return this.isStranger ? strangerSliceCostBytes : sliceCostBytes;
  }

  /** Charges a cost; returns the milliseconds for which the client must wait. */
  take(cost: number, nowMs: number): number {
    if (!this.isStranger) return this.#asPeer?.take(cost, nowMs) ?? 0;
    const { budgets, address } = this.#options;
    return Math.max(this.#asStranger.take(cost, nowMs), budgets.take(address, cost, nowMs));
  }
}
