import type { ScriptStage, ScriptStatus } from "@slipway/api";
import { RpcError } from "@slipway/rpc";
import {
  type MessageInitShape,
  Timing_Stage,
  Timing_Status,
  type WorkspaceAgentScriptCompletedRequest,
  type WorkspaceAgentScriptCompletedResponseSchema,
} from "@slipway/wire";

import type { Database } from "../../../platform/db/database.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, required, timeField, uuidField } from "./fields.ts";
import { upsertScriptTiming } from "./queries.ts";
import { requireBudget } from "./require-budget.ts";
import { requireLive } from "./require-live.ts";
import type { RpcCaller } from "./rpc-caller.ts";

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

interface Needs {
  readonly db: Database;
  readonly pubsub: PubSub;
}

/** Stores the result of a run of one of the agent's scripts (docs/protocol/rpc.md §7.9). */
export async function scriptCompleted(
  { db, pubsub }: Needs,
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
