import type { Clock, Logger } from "@slipway/runtime";

import type { Database } from "../platform/db/database.ts";
import type { PostgresPubSub } from "../platform/pubsub/postgres-pubsub.ts";

/** The parts of one server that most features run on. */
export interface Platform {
  readonly db: Database;
  readonly pubsub: PostgresPubSub;
  readonly clock: Clock;
  readonly logger: Logger;
}
