import type { Clock, Logger, UnfinishedBytes } from "@slipway/runtime";

import type { RelayCounters } from "./counters.ts";
import type { RelayCrypto } from "./crypto.ts";
import type { RelayLimits } from "./limits.ts";
import type { Turns } from "./turns.ts";

/** The parts that all sessions of a relay share. */
export interface RelayParts {
  readonly crypto: RelayCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: RelayLimits;
  readonly counters: RelayCounters;
  readonly turns: Turns;
  readonly unfinished: UnfinishedBytes;
}
