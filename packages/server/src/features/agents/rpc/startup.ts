import type { Subsystem } from "@slipway/api";
import { RpcError } from "@slipway/rpc";
import { type Startup, Startup_Subsystem, type UpdateStartupRequest } from "@slipway/wire";

import type { Database } from "../../../platform/db/database.ts";
import { withoutNul } from "../../../platform/http/storable-text.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { enumField, required } from "./fields.ts";
import { agentLimits } from "./limits.ts";
import { updateAgentStartup } from "./queries.ts";
import { requireBudget } from "./require-budget.ts";
import { notLive } from "./require-live.ts";
import type { RpcCaller } from "./rpc-caller.ts";

interface Needs {
  readonly db: Database;
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
  { db, pubsub }: Needs,
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
  const isStored = await updateAgentStartup(db, caller.agent, {
    version,
    expandedDirectory: withoutNul(expandedDirectory),
    subsystems: [...new Set(names)].toSorted(),
    apiVersion: caller.apiVersion,
  });
  if (!isStored) throw notLive();
  pubsub.publish(topics.workspace(caller.agent.workspaceId));
  return startup;
}

const semver =
  /^v(0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[\w-]+(\.[\w-]+)*)?(\+[\w-]+(\.[\w-]+)*)?)?)?$/;

/** Returns whether a text is a semantic version with a leading `v`; minor and patch may be left out, as in Go. */
export function isVersion(text: string): boolean {
  return text.length <= maxVersionLength && semver.test(text) && !text.includes("_");
}
