import type { Clock } from "@slipway/runtime";

import type { DriverLog } from "../driver.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import type { PodOwner } from "./pod-owner.ts";

/** The parts of the driver that each of its tasks uses. */
export interface ClusterContext {
  readonly connection: ClusterConnection;
  readonly owner: PodOwner;
  readonly deploymentId: string;
  readonly clock: Clock;
  readonly log: DriverLog;
}
