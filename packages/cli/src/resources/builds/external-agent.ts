import { getTemplateVersion, type WorkspaceBuild } from "@slipway/api";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { rootAgents } from "./agents.ts";

/** Returns whether a build has agents that a person has to start and has not started yet: waiting does not help. */
export async function isStartedByPerson(
  build: WorkspaceBuild,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<boolean> {
  if (rootAgents(build).every(({ status }) => status === "connected")) return false;
  const params = { version: build.template_version_id };
  const version = await client.call(getTemplateVersion, { params, signal });
  return version.has_external_agent;
}
