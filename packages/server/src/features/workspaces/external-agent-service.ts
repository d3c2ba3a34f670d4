import type { ExternalAgentCredentials } from "@slipway/api/agents/agent";
import { shellWord } from "@slipway/runtime";
import type { FastifyRequest } from "fastify";

import { type SecretBox, SecretError } from "../../platform/auth/secret-box.ts";
import type { Database } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type KnownAgent, readDriverAgents } from "../agents/build-service.ts";
import { endStoppedAgents } from "../agents/queries.ts";
import type { AuditNotes } from "../audit/note-service.ts";
import { recordAudit } from "../audit/service.ts";
import { lockAuthorized } from "../builds/lock-service.ts";
import { selectNewestStartable } from "../builds/queries.ts";
import type { WorkspaceRow } from "./queries.ts";

export interface ExternalAgentNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
  /** Returns the URL at which an agent reaches the server, for the user who starts it. */
  readonly urlFor: (request: FastifyRequest) => string;
  /** True if the server offers the agent for download; otherwise the machine must have the command. */
  readonly hasDownloads: boolean;
}

/** The agent whose credentials are requested, and the address at which it reaches the server. */
interface CredentialsRequest {
  readonly agentName: string;
  readonly serverUrl: string;
}

/** The time in which repeated reads of the same credentials in a session are recorded once. */
const noteReadOnceInMs = 3_600_000;

/**
 * Returns the command that starts an external agent, and its token. The caller must be the workspace's
 * owner or an administrator. Throws `NotFound` for an unknown agent and for one that a machine starts, `Conflict` while the workspace is not started.
 */
export async function readExternalAgentCredentials(
  { db, secrets, notes, hasDownloads }: Omit<ExternalAgentNeeds, "urlFor">,
  caller: UserCaller,
  workspace: Pick<WorkspaceRow, "id" | "name" | "organization_id">,
  { agentName, serverUrl }: CredentialsRequest,
): Promise<ExternalAgentCredentials> {
  const build = await selectNewestStartable(db, workspace.id);
  if (build?.has_external_agents !== true) throw notFound();
  if (build.transition !== "start") {
    throw new Conflict("The workspace is not started.", {
      detail: "Start the workspace first.",
    });
  }
  const agents = await readDriverAgents(db, secrets, build.id).catch(refuseLostToken);
  const agent = agents.find(({ name }) => name === agentName);
  if (agent?.isExternal !== true) throw notFound();
  await notes.record(
    {
      by: caller,
      organizationId: workspace.organization_id,
      action: "open",
      resourceType: "workspace_agent",
      resourceId: agent.id,
      target: `${workspace.name}.${agent.name}`,
      diff: {},
      fields: { workspace_id: workspace.id },
    },
    { key: `credentials ${caller.keyId} ${agent.id}`, onceInMs: noteReadOnceInMs },
  );
  const variables = credentials(agent, agents);
  const command = hasDownloads
    ? downloadCommand(serverUrl, variables)
    : `${assignments({ CODER_AGENT_URL: serverUrl, ...variables })} slipway agent`;
  return { command, agent_token: agent.token };
}

/**
 * Revokes the tokens of a stopped workspace's agents: its next start creates others. Throws `NotFound` for a workspace without
 * external agents, `Conflict` while it is not stopped.
 */
export async function revokeTokens(
  db: Database,
  caller: UserCaller,
  { id, name, owner_id, organization_id }: WorkspaceRow,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    // Keeps builds from being queued meanwhile.
    await lockAuthorized(trx, { id, ownerId: owner_id });
    const build = await selectNewestStartable(trx, id);
    if (build?.has_external_agents !== true) throw notFound();
    if (build.transition !== "stop") {
      throw new Conflict("The workspace is not stopped.", {
        detail: "Stop the workspace first: its next start creates new tokens.",
      });
    }
    if ((await endStoppedAgents(trx, id)) === 0) return;
    await recordAudit(trx, {
      by: caller,
      organizationId: organization_id,
      action: "write",
      resourceType: "workspace",
      resourceId: id,
      target: name,
      diff: { agent_tokens: { old: "", new: "", secret: true } },
    });
  });
}

function refuseLostToken(error: unknown): never {
  if (!(error instanceof SecretError)) throw error;
  throw new Conflict("The agent's token cannot be decrypted.", {
    detail: "Restart the workspace: its agent gets a new token.",
  });
}

/**
 * Returns the line that downloads and starts an agent. It sets the credentials in the environment, because other users of
 * the machine can read arguments. It fails if nothing is downloaded, for service managers that restart what fails.
 */
function downloadCommand(serverUrl: string, variables: Readonly<Record<string, string>>): string {
  const url = shellWord(`${serverUrl}/bin/start.sh`);
  return `(curl -fsSL ${url} || wget -qO- ${url} || echo exit 1) | ${assignments(variables)} sh`;
}

function assignments(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${shellWord(value)}`)
    .join(" ");
}

/**
 * Returns the agent's credentials: its token, or the machine that it runs on, with its name if others run there too.
 */
function credentials(
  { name, token, identity }: KnownAgent,
  agents: readonly KnownAgent[],
): Readonly<Record<string, string>> {
  if (identity === undefined) return { CODER_AGENT_TOKEN: token };
  const { auth, instanceId } = identity;
  const isAlone = agents.every(
    (other) =>
      other.name === name ||
      other.identity?.auth !== auth ||
      other.identity.instanceId !== instanceId,
  );
  return { CODER_AGENT_AUTH: auth, ...(isAlone ? {} : { CODER_AGENT_NAME: name }) };
}
