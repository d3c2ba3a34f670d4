import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";

import type { AgentKind } from "./agents.ts";
import { type NetworkServer, type NetworkWorkspace, untilConnected } from "./servers.ts";

/** A workspace with a running agent. The opener disposes of it. */
export interface ReachedAgent extends AsyncDisposable {
  readonly workspace: NetworkWorkspace;
  /** The workspace's OpenSSH host in the configuration of every command. */
  readonly host: string;
  /** The home directory of the workspace. */
  readonly home: string;
}

/** Starts an agent for a new workspace, with its home below `homes`. */
export async function startAgent(
  kind: AgentKind,
  server: NetworkServer,
  homes: string,
): Promise<ReachedAgent> {
  const { client } = server;
  const workspace = await server.openWorkspace(`${kind.name} ${randomBytes(3).toString("hex")}`);
  const home = join(homes, `agent-${workspace.name}`);
  const agent = await kind.start({ serverUrl: client.serverUrl, token: workspace.token, home });
  await untilConnected(client, workspace.id);
  return {
    workspace,
    host: `coder.${workspace.name}`,
    home,
    [Symbol.asyncDispose]: async () => {
      if (agent.exitCode !== null || agent.signalCode !== null) return;
      const exited = once(agent, "exit");
      agent.kill("SIGKILL");
      await exited;
    },
  };
}
