import type { Clock, Logger } from "@slipway/runtime";

import type { DriverLog } from "../driver.ts";
import type { Engine } from "./engine.ts";

/** An engine as one build sees it. */
export interface EngineContext {
  readonly engine: Engine;
  readonly deploymentId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: DriverLog;
}
