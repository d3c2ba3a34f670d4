import type { Clock } from "@slipway/runtime";
import { sql } from "kysely";

import type { Database } from "../../../platform/db/database.ts";
import { isReplaced } from "../../../platform/jobs/build-sql.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { isConnected } from "../agent-status.ts";
import { isLiveAgent } from "../live-queries.ts";
import { packLines } from "../logs/log-lines.ts";
import { createLogSource } from "../logs/log-sources.ts";
import { appendLogs } from "../logs/log-store.ts";

interface EndNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
}

/** The live agent whose process ended, with its workspace and its build. */
export interface RunningAgent {
  readonly id: string;
  readonly workspaceId: string;
  readonly buildId: string;
  readonly driverState: Uint8Array | undefined;
}

/**
 * Finds the agent with a token, unless a build that stops or replaces it has begun: then its end is the build's doing.
 */
export async function findRunningAgent(
  db: Database,
  tokenHash: string,
): Promise<RunningAgent | undefined> {
  const row = await db
    .selectFrom("live_agents as live")
    .innerJoin("workspace_builds as b", "b.id", "live.build_id")
    .where("live.auth_token_hash", "=", Buffer.from(tokenHash, "hex"))
    .where("live.parent_id", "is", null)
    .where("b.transition", "=", "start")
    .where(sql<boolean>`not ${isReplaced("b")}`)
    .select(["live.id", "live.workspace_id", "live.build_id", "b.driver_state"])
    .executeTakeFirst();
  // The columns of a view are nullable.
  if (row === undefined || row.id === null) return undefined;
  if (row.workspace_id === null || row.build_id === null) return undefined;
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    buildId: row.build_id,
    driverState: row.driver_state ?? undefined,
  };
}

/** Records that the process of an agent ended outside of a build: it is off, and disconnected at once. */
export async function recordEnd(
  needs: EndNeeds,
  agent: Pick<RunningAgent, "id" | "workspaceId">,
  detail: string,
): Promise<void> {
  await writeLine(needs, agent, detail);
  await markEnded(needs.db, agent.id, detail);
  needs.pubsub.publish(topics.workspace(agent.workspaceId));
}

/** The source of lines about what the agent runs in. */
const source = {
  id: "0b9d5a3e-7c1f-4f0e-9a35-5d0f6f1c2b77",
  displayName: "Infrastructure",
  icon: "/icon/terminal.svg",
};

/** Writes a line about the infrastructure into the log of an agent. */
export async function writeLine(
  { db, pubsub, clock }: EndNeeds,
  { id: agentId }: Pick<RunningAgent, "id">,
  output: string,
): Promise<void> {
  await createLogSource(db, agentId, source);
  const createdNs = BigInt(Math.round(clock.now())) * 1_000_000n;
  const lines = packLines([{ createdNs, level: "error", output }]);
  await appendLogs(db, { agentId, sourceId: source.id, lines });
  pubsub.publish(topics.agentLogs(agentId));
}

/**
 * Marks an agent as off and disconnected, also if it never connected. Its session no longer holds the row; if it answers
 * after all, it takes the row over again.
 */
async function markEnded(db: Database, agentId: string, detail: string): Promise<void> {
  await sql`
    update workspace_agents a set
        lifecycle_state = 'off', updated_at = now(), connection_id = gen_random_uuid(),
        end_detail = ${detail},
        disconnected_at = case when ${isConnected("a")} or a.first_connected_at is null
          then now() else a.disconnected_at end
      where a.id = ${agentId} and ${isLiveAgent(agentId)}`.execute(db);
}
