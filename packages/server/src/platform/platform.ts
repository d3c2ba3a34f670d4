import type { Clock, Logger } from "@slipway/runtime";

import type { Database } from "./db/database.ts";
import type { LocalHints, PubSub } from "./pubsub/pubsub.ts";

/** What most features of one server run on, handed on as one. */
export interface Platform {
  readonly db: Database;
  readonly pubsub: PubSub & LocalHints;
  readonly clock: Clock;
  readonly logger: Logger;
}
