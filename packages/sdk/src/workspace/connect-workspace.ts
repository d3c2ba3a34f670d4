import { type ConnectWorkspaceOptions, joinNetwork } from "./join-network.ts";
import { loadNodePlatform } from "./node-platform.ts";
import type { WorkspaceConnection } from "./workspace-connection.ts";

/** Joins the network with the means of Node.js, as `joinNetwork` does. */
export function connectWorkspace(options: ConnectWorkspaceOptions): Promise<WorkspaceConnection> {
  return joinNetwork(options, () => loadNodePlatform(options));
}
