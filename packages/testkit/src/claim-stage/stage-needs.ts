import type { Driver } from "@slipway/drivers";
import type { Clock } from "@slipway/runtime";
import type { Database } from "@slipway/server";
import type { Limits, LocalHints, PubSub, SecretBox } from "@slipway/server/claims";

/** The dependencies of the claim services. */
export interface StageNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly pubsub: PubSub;
  readonly localHints: LocalHints;
  readonly clock: Clock;
  readonly limits: Limits;
  /** The driver of all templates. */
  readonly driver: string;
  /** The same driver, for services that only read its capabilities. */
  readonly drivers: ReadonlyMap<string, Driver>;
}

/** A network that loses every hint: waiters poll by themselves. */
export const noHints: PubSub & LocalHints = {
  subscribe: () => ({ [Symbol.dispose]: () => undefined }),
  publish: () => undefined,
  hintHere: () => undefined,
};
