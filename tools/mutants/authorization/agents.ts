import type { Mutant } from "../mutant.ts";
import { rpcs, sockets, statuses } from "./suites.ts";

const rpc = "packages/server/src/features/agents/rpc";

/** Holes in the rights of agents, and in their authentication. */
export const agentHoles: readonly Mutant[] = [
  {
    name: "deletes-any-sub-agent",
    breaks: "an agent ends the sub-agents of other agents and owners",
    file: `${rpc}/sub-agent-queries.ts`,
    find: `    .set({ deleted: true, updated_at: sql\`now()\` })
    .where("id", "=", id)
    .where("parent_id", "=", parentId)`,
    replace: `    .set({ deleted: true, updated_at: sql\`now()\` })
    .where("id", "=", id)
    .where("parent_id", "is not", null)`,
    suite: rpcs,
  },
  {
    name: "takes-any-sub-agent",
    breaks: "an agent is given the token of another parent's sub-agent",
    file: `${rpc}/sub-agent-queries.ts`,
    find: `    .where("id", "=", id)
    .where("parent_id", "=", parentId)
    .where("deleted", "=", sql.lit(false))
    .where(isLiveAgent(parentId))
    .returning`,
    replace: `    .where("id", "=", id)
    .where("deleted", "=", sql.lit(false))
    .where(isLiveAgent(parentId))
    .returning`,
    suite: rpcs,
  },
  {
    name: "times-any-script",
    breaks: "an agent reports how scripts of other agents ended",
    file: `${rpc}/queries.ts`,
    find: "where id = ${timing.scriptId} and workspace_agent_id = ${agentId} and",
    replace: "where id = ${timing.scriptId} and",
    suite: rpcs,
  },
  {
    name: "health-of-any-app",
    breaks: "an agent reports the health of other agents' apps",
    file: `${rpc}/app-queries.ts`,
    find: `    .where("workspace_agent_id", "=", agentId)\n`,
    replace: "",
    suite: rpcs,
  },
  {
    name: "agents-open-tunnels",
    breaks: "an agent opens tunnels to other agents",
    file: `${rpc}/coordinate.ts`,
    find: `    if (addTunnel !== undefined) return "authorization: agents cannot open tunnels";\n`,
    replace: "    if (addTunnel !== undefined && updateSelf !== undefined) return 'both';\n",
    suite: rpcs,
  },
  {
    name: "agents-shake-any-hand",
    breaks: "an agent tells any peer that it is ready",
    file: `${rpc}/coordinate.ts`,
    find: "    for (const { id } of request.readyForHandshake) {",
    replace: "    for (const { id } of request.readyForHandshake.slice(1)) {",
    suite: rpcs,
  },
  {
    name: "suspended-are-let-in",
    breaks: "sessions of suspended users go on",
    file: "packages/server/src/platform/auth/service.ts",
    find: `  if (status === "active") return;`,
    replace: `  if (status !== "deleted") return;`,
    suite: statuses,
  },
  {
    name: "suspended-open-sockets",
    breaks: "suspended users open sockets",
    file: "packages/server/src/platform/auth/service.ts",
    find: `  if (status === "active") return;`,
    replace: `  if (status !== "deleted") return;`,
    suite: sockets,
  },
];
