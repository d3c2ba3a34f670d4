import type { Subsystem } from "@slipway/api";
import { RpcError } from "@slipway/rpc";
import { type Startup, Startup_Subsystem, type UpdateStartupRequest } from "@slipway/wire";

import type { GatheredWrites } from "../../../platform/db/gathered-writes.ts";
import { withoutNul } from "../../../platform/http/storable-text.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, required } from "./fields.ts";
import { agentLimits } from "./limits.ts";
import type { StartupOfAgent } from "./queries.ts";
import { requireBudget } from "./require-budget.ts";
import { notLive } from "./require-live.ts";
import type { RpcCaller } from "./rpc-caller.ts";

export interface StartupNeeds {
  /** Stores the descriptions of all agents. */
  readonly startups: GatheredWrites<StartupOfAgent, true>;
  readonly pubsub: PubSub;
}

const subsystems: ReadonlyMap<number, Subsystem> = new Map([
  [Startup_Subsystem.ENVBOX, "envbox"],
  [Startup_Subsystem.ENVBUILDER, "envbuilder"],
  [Startup_Subsystem.EXECTRACE, "exectrace"],
]);

const maxVersionLength = agentLimits["coder.agent.v2.Startup"].version.maxBytes;

/** Stores the agent's version, directory and subsystems, and echoes them (docs/protocol/rpc.md §7.2). */
export async function updateStartup(
  { startups, pubsub }: StartupNeeds,
  caller: Pick<RpcCaller, "agent" | "apiVersion" | "spend">,
  request: UpdateStartupRequest,
): Promise<Startup> {
  const startup = required(request.startup, "startup");
  const { version, expandedDirectory } = startup;
  if (!isVersion(version)) {
    const found = JSON.stringify(version.slice(0, maxVersionLength));
    throw new RpcError(`invalid agent semver version ${found} (wanted v1.2.3)`);
  }
  requireBudget(caller, "updates");
  const names = startup.subsystems.map((value) => enumField(subsystems, value, "subsystem"));
  const { agentId, authenticatedAt } = caller.agent;
  const isStored = await startups.write({
    agentId,
    authenticatedAt,
    version,
    expandedDirectory: withoutNul(expandedDirectory),
    subsystems: [...new Set(names)].toSorted(),
    apiVersion: caller.apiVersion,
  });
  if (isStored === undefined) throw notLive();
  pubsub.publish(topics.workspace(caller.agent.workspaceId));
  return startup;
}

const semver =
  /^v(0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[\w-]+(\.[\w-]+)*)?(\+[\w-]+(\.[\w-]+)*)?)?)?$/;

/** Returns whether a text is a semantic version with a leading `v`; minor and patch may be left out, as in Go. */
export function isVersion(text: string): boolean {
  return text.length <= maxVersionLength && semver.test(text) && !text.includes("_");
}
