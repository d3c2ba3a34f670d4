export { AgentSocketClient, defaultAgentSocketPath } from "./inside/agent-socket-client.ts";
export type { SyncDependency, SyncUnit, SyncUnitStatus } from "./inside/agent-socket-client.ts";
export { AgentSocketError, RefusedCallError } from "./inside/errors.ts";
