import { type Clock, TokenBucket, TokenBuckets } from "@slipway/runtime";
import { type LimitName, type Limits, limitVariable } from "../../platform/config/limits.ts";
import { Unavailable } from "../../platform/errors/errors.ts";
import { addressKey } from "../../platform/fields/address.ts";

/** The addresses that are counted one by one. */
const maxAddresses = 10_000;
const secondsPerMinute = 60;

/**
 * Bounds how often clients connect to the relay, each of which costs a key pair and the cryptography of a login. A minute's
 * connections may come at once: agents of one network come back together.
 */
export class RelayLogins {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #all: TokenBucket;
  readonly #byAddress: TokenBuckets;

  constructor(
    {
      maxRelayLogins,
      maxRelayLoginsPerAddress,
    }: Pick<Limits, "maxRelayLogins" | "maxRelayLoginsPerAddress">,
    clock: Pick<Clock, "monotonic">,
  ) {
    this.#clock = clock;
    this.#all = new TokenBucket(rateOf(maxRelayLogins));
    this.#byAddress = new TokenBuckets(rateOf(maxRelayLoginsPerAddress), maxAddresses);
  }

  /** Counts a connection. Throws the 503: after a 4xx clients would use WebSockets (docs/protocol/tailnet.md §4.2). */
  count(address: string): void {
    const nowMs = this.#clock.monotonic();
    if (!this.#byAddress.of(addressKey(address), nowMs).tryTake(1, nowMs)) {
      throw tooOften("Your address connects", "maxRelayLoginsPerAddress");
    }
    if (!this.#all.tryTake(1, nowMs)) throw tooOften("Clients connect", "maxRelayLogins");
  }
}

function rateOf(perMinute: number): { readonly burst: number; readonly perSecond: number } {
  return { burst: perMinute, perSecond: perMinute / secondsPerMinute };
}

function tooOften(who: string, limit: LimitName): Unavailable {
  return new Unavailable(`${who} to the relay too often.`, {
    detail: `Try again later, or ask an administrator to raise ${limitVariable(limit)}.`,
  });
}
