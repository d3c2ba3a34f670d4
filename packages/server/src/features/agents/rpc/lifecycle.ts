import type { LifecycleState } from "@slipway/api";
import { type Lifecycle, Lifecycle_State, type UpdateLifecycleRequest } from "@slipway/wire";

import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import type { AgentRpcContext } from "./context.ts";
import { enumField, required, timeField } from "./fields.ts";
import { updateAgentLifecycle } from "./queries.ts";
import { requireBudget } from "./require-budget.ts";
import { requireLive } from "./require-live.ts";

type Needs = Pick<AgentRpcContext, "db" | "pubsub" | "clock" | "agent" | "connectionId" | "spend">;

const states: ReadonlyMap<number, LifecycleState> = new Map([
  [Lifecycle_State.CREATED, "created"],
  [Lifecycle_State.STARTING, "starting"],
  [Lifecycle_State.START_TIMEOUT, "start_timeout"],
  [Lifecycle_State.START_ERROR, "start_error"],
  [Lifecycle_State.READY, "ready"],
  [Lifecycle_State.SHUTTING_DOWN, "shutting_down"],
  [Lifecycle_State.SHUTDOWN_TIMEOUT, "shutdown_timeout"],
  [Lifecycle_State.SHUTDOWN_ERROR, "shutdown_error"],
  [Lifecycle_State.OFF, "off"],
]);

/** Stores the agent's state, whatever the previous one, and echoes it (docs/protocol/rpc.md §7.3). */
export async function updateLifecycle(
  needs: Needs,
  request: UpdateLifecycleRequest,
): Promise<Lifecycle> {
  const lifecycle = required(request.lifecycle, "lifecycle");
  const { agentId, authenticatedAt } = needs.agent;
  const session = { agentId, authenticatedAt, connectionId: needs.connectionId };
  requireBudget(needs, "updates");
  const isChanged = await updateAgentLifecycle(needs.db, session, {
    state: enumField(states, lifecycle.state, "lifecycle state"),
    changedAt: timeField(lifecycle.changedAt, "changed_at") ?? timestampFromMs(needs.clock.now()),
  });
  if (!isChanged) await requireLive(needs.db, agentId);
  needs.pubsub.publish(topics.workspace(needs.agent.workspaceId));
  return lifecycle;
}
