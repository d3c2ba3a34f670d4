import type { Clock, Logger } from "@slipway/runtime";

import type { Database } from "./db/database.ts";
import type { PubSub } from "./pubsub/pubsub.ts";

/** The services that most features of a server run on, passed on as one. */
export interface Platform {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  readonly logger: Logger;
}
