import type { Clock, Logger } from "@slipway/runtime";

import type { Database } from "./db/database.ts";
import type { LocalHints, PubSub } from "./pubsub/pubsub.ts";

/** The services that most features of a server run on, passed on as one. */
export interface Platform {
  readonly db: Database;
  readonly pubsub: PubSub & LocalHints;
  readonly clock: Clock;
  readonly logger: Logger;
}
