import type { ExternalAgentCredentials } from "@slipway/api";

import { readDriverAgents } from "../agents/build-service.ts";
import type { SecretBox } from "../auth/secret-box.ts";
import { readNewestDriverBuild } from "../builds/read-service.ts";
import type { Database } from "../db/database.ts";
import { HttpError, notFound } from "../http/errors.ts";

export interface ExternalAgentNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  /** Where the agent reaches the server. */
  readonly accessUrl: () => string;
}

/**
 * The command that starts an agent of the driver `external`, with its token. The caller has been found to own the
 * workspace, or to be an administrator. Throws 404 for an agent that is not there, 409 while the workspace is not started.
 */
export async function readExternalAgentCredentials(
  { db, secrets, accessUrl }: ExternalAgentNeeds,
  workspaceId: string,
  agentName: string,
): Promise<ExternalAgentCredentials> {
  const build = await readNewestDriverBuild(db, workspaceId);
  if (build?.driver !== "external") throw notFound();
  if (build.transition !== "start") {
    throw new HttpError(409, "The workspace is not started.", {
      detail: "Its agent gets a new token with each start; start the workspace first.",
    });
  }
  const agents = await readDriverAgents(db, secrets, build.id);
  const agent = agents.find(({ name }) => name === agentName);
  if (agent === undefined) throw notFound();
  return {
    command: `CODER_AGENT_URL=${accessUrl()} CODER_AGENT_TOKEN=${agent.token} slipway agent`,
    agent_token: agent.token,
  };
}
