import type { ScriptStage, ScriptStatus } from "@slipway/api/agents/agent";
import { RpcError } from "@slipway/rpc";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { Timing_Stage, Timing_Status } from "@slipway/wire/protobuf/gen/agent_pb";
import type {
  WorkspaceAgentScriptCompletedRequest,
  WorkspaceAgentScriptCompletedResponseSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, required, timeField, uuidField } from "../calls/fields.ts";
import { requireBudget, requireLive, type RpcCaller } from "../calls/rpc-caller.ts";
import { isLiveAgent } from "../live-queries.ts";

const stages: ReadonlyMap<number, ScriptStage> = new Map([
  [Timing_Stage.START, "start"],
  [Timing_Stage.STOP, "stop"],
  [Timing_Stage.CRON, "cron"],
]);
const statuses: ReadonlyMap<number, ScriptStatus> = new Map([
  [Timing_Status.OK, "ok"],
  [Timing_Status.EXIT_FAILURE, "exit_failure"],
  [Timing_Status.TIMED_OUT, "timed_out"],
  [Timing_Status.PIPES_LEFT_OPEN, "pipes_left_open"],
]);

/** Stores the result of a run of one of the agent's scripts (docs/protocol/rpc.md §7.9). */
export async function scriptCompleted(
  { db, pubsub }: Pick<Platform, "db" | "pubsub">,
  { agent, spend }: Pick<RpcCaller, "agent" | "spend">,
  request: WorkspaceAgentScriptCompletedRequest,
): Promise<MessageInitShape<typeof WorkspaceAgentScriptCompletedResponseSchema>> {
  const timing = required(request.timing, "timing");
  const scriptId = uuidField(timing.scriptId, "script_id");
  const startedAt = required(timeField(timing.start, "start"), "start");
  const endedAt = required(timeField(timing.end, "end"), "end");
  // Both texts have the same form, so they compare as times do.
  if (startedAt > endedAt) throw new RpcError(`start ${startedAt} is after end ${endedAt}`);
  requireBudget({ spend }, "timings");
  const isKnown = await upsertScriptTiming(db, agent.agentId, {
    scriptId,
    startedAt,
    endedAt,
    exitCode: timing.exitCode,
    stage: enumField(stages, timing.stage, "stage"),
    status: enumField(statuses, timing.status, "status"),
  });
  if (!isKnown) {
    await requireLive(db, agent.agentId);
    throw new RpcError(`agent has no script ${scriptId}`);
  }
  pubsub.publish(topics.workspace(agent.workspaceId));
  return {};
}

interface ScriptTiming {
  readonly scriptId: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly exitCode: number;
  readonly stage: ScriptStage;
  readonly status: ScriptStatus;
}

/** Stores the result of a script run; resolves to false if the agent has no such script or is not live. */
async function upsertScriptTiming(
  db: Queryable,
  agentId: string,
  timing: ScriptTiming,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into workspace_agent_script_timings (script_id, started_at, ended_at, exit_code, stage, status)
      select id, ${timing.startedAt}::timestamptz, ${timing.endedAt}::timestamptz,
          ${timing.exitCode}::integer, ${timing.stage}::text, ${timing.status}::text
        from workspace_agent_scripts
        where id = ${timing.scriptId} and workspace_agent_id = ${agentId} and ${isLiveAgent(agentId)}
      on conflict (script_id, started_at) do update set
        ended_at = excluded.ended_at, exit_code = excluded.exit_code,
        stage = excluded.stage, status = excluded.status`.execute(db);
  return numAffectedRows === 1n;
}
