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
  BuildHold,
  ContainerBuild,
  ContainerPort,
  ContainerVolume,
  DockerSettings,
  DriverAgent,
  DriverBuild,
  DriverContainer,
  DriverGitKey,
  DriverOwner,
  DriverTemplate,
  KubernetesSettings,
  LeaseTimes,
} from "./driver-build.ts";
export type {
  AgentEnd,
  AgentObservation,
  Driver,
  DriverEvent,
  DriverLog,
  DriverKind,
  DriverLogLevel,
  DriverPlan,
  DriverReading,
  DriverResource,
  DriverResult,
  ObserveInput,
  PlanInput,
  PlannedAgent,
  ReadInput,
  ReadParametersInput,
  ResourceMetadata,
  StartedAgent,
  WorkspaceObservation,
} from "./driver.ts";
export { DriverError } from "./errors.ts";
export type { DriverErrorCode } from "./errors.ts";
export { ExternalDriver } from "./external/external-driver.ts";
export { KubernetesDriver } from "./kubernetes/kubernetes-driver.ts";
export { kubernetesPermissions } from "./kubernetes/kubernetes-options.ts";
export type {
  KubernetesDriverOptions,
  KubernetesPermission,
} from "./kubernetes/kubernetes-options.ts";
export type { ClusterSource } from "./kubernetes/kubeconfig.ts";
export { procTable } from "./process/proc-table.ts";
export { ProcessDriver } from "./process/process-driver.ts";
export type { ProcessTable, RunningProcess } from "./process/running-process.ts";
export type { UidRange } from "./process/user-assignments.ts";
export { WorkspaceUsers } from "./process/workspace-users.ts";
export { refuseAborted } from "./refuse-aborted.ts";
export { maxSteps, type StageTiming } from "./stage-timing.ts";
export { TerraformDriver } from "./terraform/terraform-driver.ts";
export type { TerraformDriverOptions } from "./terraform/terraform-options.ts";
