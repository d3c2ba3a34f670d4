import { type BudgetRate, type Clock, TokenBucket, TokenBuckets } from "@slipway/runtime";

import { HttpError } from "./errors.ts";

/** The cost of a value, in bytes: it is parsed, checked against a schema, and looked through. */
const valueCost = 100;
/** The JSON of one user, agent or address; a processor parses and checks some 100 MiB of such cost in a second. */
const perClient: BudgetRate = { burst: 8 * 1024 * 1024, perSecond: 2 * 1024 * 1024 };
/** The JSON of all clients together that are known only by their address. */
const allStrangers: BudgetRate = { burst: 16 * 1024 * 1024, perSecond: 8 * 1024 * 1024 };
const maxClients = 10_000;

/** The sender of a body: a user or an agent, or an address. */
export interface JsonSender {
  readonly name: string;
  readonly isStranger: boolean;
}

/** Limits the time that parsing and checking JSON takes, for each client and for all strangers together. */
export class JsonBudgets {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #clients = new TokenBuckets(perClient, maxClients);
  readonly #strangers = new TokenBucket(allStrangers);

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Throws the 429 for a sender whose budget is spent. */
  admit(sender: JsonSender): void {
    const waitMs = Math.max(...this.#take(sender, 0));
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1_000);
    throw new HttpError(429, "You have sent more JSON than the server checks at a time.", {
      detail: `Try again in ${seconds} s.`,
      headers: { "Retry-After": String(seconds) },
    });
  }

  /** Charges the cost of a body, even if it exceeds the rest of the budget. */
  charge(sender: JsonSender, bytes: number, values: number): void {
    this.#take(sender, bytes + values * valueCost);
  }

  #take({ name, isStranger }: JsonSender, cost: number): readonly number[] {
    const now = this.#clock.monotonic();
    const ofClient = this.#clients.of(name, now).take(cost, now);
    return isStranger ? [ofClient, this.#strangers.take(cost, now)] : [ofClient];
  }
}
