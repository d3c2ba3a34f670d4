import { RpcError } from "@slipway/rpc";
import { type DisplayAppName, displayApps as allDisplayApps } from "@slipway/template";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  CreateSubAgentRequest,
  CreateSubAgentResponseSchema,
  DeleteSubAgentRequest,
  DeleteSubAgentResponseSchema,
  ListSubAgentsResponseSchema,
  SubAgentSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { CreateSubAgentRequest_DisplayApp as DisplayApp } from "@slipway/wire/protobuf/gen/agent_pb";

import { createAgentToken, openAgentToken } from "../../../platform/auth/agent-token.ts";
import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import { violatesUnique } from "../../../platform/db/errors.ts";
import { inTransaction } from "../../../platform/db/transaction.ts";
import { storableText } from "../../../platform/fields/storable-text.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { uuidField } from "../calls/fields.ts";
import { requireBudget, notLive, requireLive, type RpcCaller } from "../calls/rpc-caller.ts";
import { recordSharedApps } from "./shared-apps.ts";
import { checkApps } from "./sub-agent-apps.ts";
import {
  deleteSubAgent as endSubAgent,
  insertSubAgent,
  insertSubAgentApps,
  lockParent,
  selectApps,
  selectSubAgents,
  updateSubAgent,
} from "./sub-agent-queries.ts";

export interface SubAgentNeeds extends Pick<Platform, "db" | "pubsub"> {
  readonly secrets: SecretBox;
  /** The maximum number of sub-agents that an agent may have at the same time. */
  readonly maxSubAgents: number;
}

type Caller = Pick<RpcCaller, "agent" | "spend">;
type CreatedSubAgent = MessageInitShape<typeof CreateSubAgentResponseSchema>;

const nameForm = /^[a-z0-9](-?[a-z0-9])*$/i;

/** Creates a sub-agent of the calling agent, or returns the one that the build created (docs/protocol/rpc.md §7.12). */
export async function createSubAgent(
  needs: SubAgentNeeds,
  caller: Caller,
  request: CreateSubAgentRequest,
): Promise<CreatedSubAgent> {
  const displayApps = readDisplayApps(request.displayApps);
  const created =
    request.id === undefined
      ? await createNew(needs, caller, request, displayApps)
      : await updateExisting(needs, caller, request.id, {
          displayApps,
          directory: storableText(request.directory),
        });
  needs.pubsub.publish(topics.workspace(caller.agent.workspaceId));
  return created;
}

/**
 * Ends a sub-agent of the calling agent, and of no other. The caller's own id succeeds without effect, as stock agents
 * expect (docs/protocol/rpc.md §7.12).
 */
export async function deleteSubAgent(
  { db, pubsub }: SubAgentNeeds,
  { agent }: Caller,
  request: DeleteSubAgentRequest,
): Promise<MessageInitShape<typeof DeleteSubAgentResponseSchema>> {
  const id = uuidField(request.id, "id");
  const isEnded = await inTransaction(db, async (trx) => {
    const ended = await endSubAgent(trx, { id, parentId: agent.agentId });
    if (ended === undefined) return false;
    const apps = await selectApps(trx, id);
    const change = { agentName: ended.name, isPublished: false, apps };
    await recordSharedApps(trx, agent.workspaceId, change);
    return true;
  });
  if (isEnded) {
    pubsub.publish(topics.builds(agent.workspaceId));
    pubsub.publish(topics.workspace(agent.workspaceId));
    return {};
  }
  await requireLive(db, agent.agentId);
  if (id !== agent.agentId) throw new RpcError(`there is no sub-agent ${id}`);
  return {};
}

/** Lists the live sub-agents of the calling agent, with their tokens. */
export async function listSubAgents(
  { db, secrets }: SubAgentNeeds,
  { agent }: Caller,
): Promise<MessageInitShape<typeof ListSubAgentsResponseSchema>> {
  const rows = await selectSubAgents(db, agent.agentId);
  if (rows.length === 0) await requireLive(db, agent.agentId);
  return {
    agents: rows.map((row) =>
      subAgent(row.id, row.name, openAgentToken(secrets, row.auth_token_encrypted)),
    ),
  };
}

async function createNew(
  { db, secrets, maxSubAgents }: SubAgentNeeds,
  { agent, spend }: Caller,
  request: CreateSubAgentRequest,
  displayApps: readonly DisplayAppName[],
): Promise<CreatedSubAgent> {
  const { name, architecture, operatingSystem } = request;
  if (!nameForm.test(name)) {
    throw new RpcError(`agent name ${JSON.stringify(name)} does not match ${nameForm.source}`);
  }
  requireBudget({ spend }, "subAgents");
  const token = createAgentToken(secrets);
  const { apps, errors } = checkApps(name, request.apps);
  const id = await inTransaction(db, async (trx) => {
    const parent = await lockParent(trx, agent.agentId);
    if (parent === undefined) return undefined;
    if (parent.parent_id !== null) throw new RpcError("a sub-agent has no sub-agents of its own");
    if (parent.children >= maxSubAgents) {
      throw new RpcError(
        `the agent has ${parent.children} sub-agents, at most ${maxSubAgents} are allowed: delete one first`,
      );
    }
    const childId = await insertSubAgent(trx, {
      parentId: agent.agentId,
      name,
      directory: storableText(request.directory),
      architecture: storableText(architecture),
      operatingSystem: storableText(operatingSystem),
      displayApps,
      token,
    });
    if (childId === undefined) return undefined;
    await insertSubAgentApps(trx, childId, apps);
    await recordSharedApps(trx, agent.workspaceId, { agentName: name, isPublished: true, apps });
    return childId;
  }).catch((error: unknown) => {
    if (!violatesUnique(error, "workspace_agents_name")) throw error;
    // Agents try another name after an error with these words (docs/protocol/agent.md §8.7).
    throw new RpcError(`workspace agent name ${JSON.stringify(name)} is taken`);
  });
  if (id === undefined) throw notLive();
  return { agent: subAgent(id, name, token.token), appCreationErrors: [...errors] };
}

async function updateExisting(
  { db, secrets }: SubAgentNeeds,
  { agent }: Caller,
  idBytes: Uint8Array,
  change: { readonly displayApps: readonly DisplayAppName[]; readonly directory: string },
): Promise<CreatedSubAgent> {
  const id = uuidField(idBytes, "id");
  const row = await updateSubAgent(db, { id, parentId: agent.agentId }, change);
  if (row === undefined) {
    await requireLive(db, agent.agentId);
    throw new RpcError(`agent ${id} is no child of this agent`);
  }
  return { agent: subAgent(row.id, row.name, openAgentToken(secrets, row.auth_token_encrypted)) };
}

function subAgent(
  id: string,
  name: string,
  token: string,
): MessageInitShape<typeof SubAgentSchema> {
  return { id: encodeUuid(id), name, authToken: encodeUuid(token) };
}

const displayAppNames: ReadonlyMap<number, DisplayAppName> = new Map([
  [DisplayApp.VSCODE, "vscode"],
  [DisplayApp.VSCODE_INSIDERS, "vscode_insiders"],
  [DisplayApp.WEB_TERMINAL, "web_terminal"],
  [DisplayApp.SSH_HELPER, "ssh_helper"],
  [DisplayApp.PORT_FORWARDING_HELPER, "port_forwarding_helper"],
]);

/**
 * Returns the names of display apps, each once and in the order of the database; throws `RpcError` for an unknown
 * number.
 */
function readDisplayApps(values: readonly number[]): readonly DisplayAppName[] {
  const chosen = new Set<DisplayAppName>();
  for (const [index, value] of values.entries()) {
    const name = displayAppNames.get(value);
    if (name === undefined)
      throw new RpcError(`display_apps[${index}]: unknown display app ${value}`);
    chosen.add(name);
  }
  return allDisplayApps.filter((name) => chosen.has(name));
}
