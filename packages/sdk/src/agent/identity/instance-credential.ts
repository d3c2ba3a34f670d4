import { abortable, type Clock, withDeadline } from "@slipway/runtime";

import { exchangeIdentity } from "./exchange-identity.ts";
import type { ExchangeTarget } from "./exchange-identity.ts";
import { fetchIdentity } from "./instance-identity.ts";

export interface InstanceCredentialOptions extends ExchangeTarget {
  /** The address of the cloud's metadata service. */
  readonly metadataUrl: string;
  readonly clock: Clock;
}

/** The time limit of one exchange, from the first question to the metadata service to the server's answer. */
export const maxExchangeMs = 10_000;

interface TokenExchange {
  readonly token: Promise<string>;
  readonly abandoned: AbortController;
  waiting: number;
}

/** The credential of an agent that authenticates by its instance: its token, and the way to the next one. */
export class InstanceCredential {
  readonly #options: InstanceCredentialOptions;
  #token: string | undefined;
  #running: TokenExchange | undefined;

  constructor(options: InstanceCredentialOptions) {
    this.#options = options;
  }

  /** Returns the newest token; undefined before the first. It survives failed exchanges. */
  current(): string | undefined {
    return this.#token;
  }

  /**
   * Exchanges the instance's identity for a token. Callers at the same time share one exchange, which ends early when the
   * last of them has gone. Rejects with `IdentityError` or `DialError`, or the signal's reason.
   */
  async refresh(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const exchange = (this.#running ??= this.#begin());
    exchange.waiting += 1;
    try {
      return await abortable(exchange.token, signal);
    } finally {
      exchange.waiting -= 1;
      if (exchange.waiting === 0) {
        exchange.abandoned.abort();
        if (this.#running === exchange) this.#running = undefined;
      }
    }
  }

  #begin(): TokenExchange {
    const abandoned = new AbortController();
    return { token: this.#exchange(abandoned.signal), abandoned, waiting: 0 };
  }

  async #exchange(abandoned: AbortSignal): Promise<string> {
    const { cloud, metadataUrl, clock } = this.#options;
    const exchange = async (late: AbortSignal): Promise<string> => {
      const either = AbortSignal.any([abandoned, late]);
      const identity = await fetchIdentity(cloud, metadataUrl, either);
      this.#token = await exchangeIdentity(this.#options, identity, either);
      return this.#token;
    };
    return withDeadline(maxExchangeMs, clock, exchange, "answer");
  }
}
