export { capabilitiesOf, driversWith } from "./capabilities.ts";
export type { DriverCapabilities } from "./capabilities.ts";
export { DockerDriver } from "./docker/docker-driver.ts";
export { dockerPermissions } from "./docker/docker-options.ts";
export type {
  AgentArchive,
  ArchiveRequest,
  DockerDriverOptions,
  DockerEndpoint,
  DockerPermission,
  RegistryCredentials,
} from "./docker/docker-options.ts";
export { defaultDriverLimits } from "./driver-build.ts";
export type {
  ContainerBuild,
  ContainerPort,
  ContainerVolume,
  DockerSettings,
  DriverAgent,
  DriverBuild,
  DriverContainer,
  DriverTemplate,
} from "./driver-build.ts";
export type {
  AgentEnd,
  AgentObservation,
  Driver,
  DriverEvent,
  DriverLog,
  DriverName,
  DriverPlan,
  DriverResource,
  DriverResult,
  PlanInput,
  PlannedAgent,
  WorkspaceObservation,
} from "./driver.ts";
export { DriverError } from "./errors.ts";
export { ExternalDriver } from "./external/external-driver.ts";
export { procTable } from "./process/proc-table.ts";
export { ProcessDriver } from "./process/process-driver.ts";
export type { ProcessTable, RunningProcess } from "./process/running-process.ts";
export type { UidRange } from "./process/user-assignments.ts";
export { WorkspaceUsers } from "./process/workspace-users.ts";
export { refuseAborted } from "./refuse-aborted.ts";
