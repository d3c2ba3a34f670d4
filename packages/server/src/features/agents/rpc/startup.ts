import type { Subsystem } from "@slipway/api";
import { type Startup, Startup_Subsystem, type UpdateStartupRequest } from "@slipway/wire";

import { withoutNul } from "../../../platform/http/storable-text.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { RpcFailure } from "../../../platform/rpc/handler.ts";
import type { AgentRpcContext } from "./context.ts";
import { enumField, required } from "./fields.ts";
import { agentLimits } from "./limits.ts";
import { updateAgentStartup } from "./queries.ts";
import { requireBudget } from "./require-budget.ts";
import { notLive } from "./require-live.ts";

type Needs = Pick<AgentRpcContext, "db" | "pubsub" | "agent" | "apiVersion" | "spend">;

const subsystems: ReadonlyMap<number, Subsystem> = new Map([
  [Startup_Subsystem.ENVBOX, "envbox"],
  [Startup_Subsystem.ENVBUILDER, "envbuilder"],
  [Startup_Subsystem.EXECTRACE, "exectrace"],
]);

const maxVersionLength = agentLimits["coder.agent.v2.Startup"].version.maxBytes;

/** Stores the agent's version, directory and subsystems, and echoes them (docs/protocol/rpc.md §7.2). */
export async function updateStartup(needs: Needs, request: UpdateStartupRequest): Promise<Startup> {
  const startup = required(request.startup, "startup");
  const { version, expandedDirectory } = startup;
  if (!isVersion(version)) {
    const found = JSON.stringify(version.slice(0, maxVersionLength));
    throw new RpcFailure(`invalid agent semver version ${found} (wanted v1.2.3)`);
  }
  requireBudget(needs, "updates");
  const names = startup.subsystems.map((value) => enumField(subsystems, value, "subsystem"));
  const isStored = await updateAgentStartup(needs.db, needs.agent, {
    version,
    expandedDirectory: withoutNul(expandedDirectory),
    subsystems: [...new Set(names)].toSorted(),
    apiVersion: needs.apiVersion,
  });
  if (!isStored) throw notLive();
  needs.pubsub.publish(topics.workspace(needs.agent.workspaceId));
  return startup;
}

const semver =
  /^v(0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[\w-]+(\.[\w-]+)*)?(\+[\w-]+(\.[\w-]+)*)?)?)?$/;

/** Returns whether a text is a semantic version with a leading `v`; minor and patch may be left out, as in Go. */
export function isVersion(text: string): boolean {
  return text.length <= maxVersionLength && semver.test(text) && !text.includes("_");
}
