export { clientCoordinationService } from "./workspace/coordination-service.ts";
export type { ClientCoordinationOptions } from "./workspace/coordination-service.ts";
export { connectWorkspace } from "./workspace/connect-workspace.ts";
export type { ConnectWorkspaceOptions } from "./workspace/connect-workspace.ts";
export { NetworkError } from "./workspace/errors.ts";
export type { NetworkRung } from "./workspace/errors.ts";
export { WorkspaceConnection } from "./workspace/workspace-connection.ts";
export type { AgentPath, Pong } from "./workspace/workspace-connection.ts";
