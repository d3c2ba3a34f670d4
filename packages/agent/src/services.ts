export type { AcceptedConnection, Service } from "./connections/accepted-connection.ts";
export type {
  ConnectionReport,
  ReportConnection,
  SessionCounts,
  SessionType,
} from "./connections/session-log.ts";
export type { HostNames } from "./ssh/host-key.ts";
export { readGreeting } from "./ssh/sessions/greeting.ts";
export type { GreetingSource } from "./ssh/sessions/greeting.ts";
export type { SshSettings } from "./config/ssh-settings.ts";
export { WorkspaceServices } from "./services/workspace-services.ts";
export type { ServicesOptions } from "./services/workspace-services.ts";
