import type { Clock } from "@slipway/runtime";

import type { DriverLog } from "../driver.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import type { PodOwners } from "./find-owners.ts";

/** The parts of the driver that each of its tasks uses. */
export interface ClusterContext {
  readonly connection: ClusterConnection;
  readonly deploymentId: string;
  readonly clock: Clock;
  readonly log: DriverLog;
}

/** The parts that each build uses. */
export interface BuildContext extends ClusterContext {
  readonly owners: PodOwners;
}
