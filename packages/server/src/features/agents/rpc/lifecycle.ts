import type { LifecycleState } from "@slipway/api";
import type { Clock } from "@slipway/runtime";
import { type Lifecycle, Lifecycle_State, type UpdateLifecycleRequest } from "@slipway/wire";

import type { GatheredWrites } from "../../../platform/db/gathered-writes.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, required, timeField } from "./fields.ts";
import type { LifecycleEffect, LifecycleReport } from "./lifecycle-queries.ts";
import { requireBudget } from "./require-budget.ts";
import { notLive } from "./require-live.ts";
import type { RpcCaller } from "./rpc-caller.ts";

export interface LifecycleNeeds {
  /** Stores the reports of all agents. */
  readonly lifecycles: GatheredWrites<LifecycleReport, LifecycleEffect>;
  readonly pubsub: PubSub;
  readonly clock: Clock;
}

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
  { lifecycles, pubsub, clock }: LifecycleNeeds,
  caller: Pick<RpcCaller, "agent" | "connectionId" | "spend">,
  request: UpdateLifecycleRequest,
): Promise<Lifecycle> {
  const lifecycle = required(request.lifecycle, "lifecycle");
  const { agentId, authenticatedAt, workspaceId } = caller.agent;
  requireBudget(caller, "updates");
  const effect = await lifecycles.write({
    agentId,
    authenticatedAt,
    connectionId: caller.connectionId,
    state: enumField(states, lifecycle.state, "lifecycle state"),
    changedAt: timeField(lifecycle.changedAt, "changed_at") ?? timestampFromMs(clock.now()),
  });
  if (effect === undefined || effect === "not-live") throw notLive();
  if (effect === "changed") pubsub.publish(topics.workspace(workspaceId));
  return lifecycle;
}
