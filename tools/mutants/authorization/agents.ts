import type { Mutant } from "../mutant.ts";
import { coordination, rpcs, sockets, statuses } from "./suites.ts";

const rpc = "packages/server/src/features/agents/rpc";
const policies = "packages/server/src/network/coordinator/peer-policy.ts";

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
    .returning(["id"`,
    replace: `    .where("id", "=", id)
    .where("deleted", "=", sql.lit(false))
    .where(isLiveAgent(parentId))
    .returning(["id"`,
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
    file: policies,
    find: `    if (addTunnel !== undefined) return refused("agents cannot open tunnels");\n`,
    replace: "",
    suite: rpcs,
  },
  {
    name: "clients-open-any-tunnel",
    breaks: "a client opens a tunnel to an agent that its user may not reach",
    file: policies,
    find: "      if (problem !== undefined) return refused(problem);\n",
    replace: "",
    suite: coordination,
  },
  {
    name: "clients-shake-hands",
    breaks: "a client tells peers that it is ready for their handshakes",
    file: policies,
    find: `    if (readyFor.length > 0) return refused("clients may not send ready_for_handshake");\n`,
    replace: "",
    suite: coordination,
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
