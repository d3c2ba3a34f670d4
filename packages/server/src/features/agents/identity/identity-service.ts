import { type AgentCandidate, chooseAgent } from "@slipway/identity";
import type { Logger } from "@slipway/runtime";
import { isInstanceId } from "@slipway/template";

import { openAgentToken } from "../../../platform/auth/agent-token.ts";
import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import type { Database } from "../../../platform/db/database.ts";
import { Conflict, Invalid, NotFound } from "../../../platform/errors/errors.ts";
import { addressKey } from "../../../platform/http/rate-limit.ts";
import type { RequestOrigin } from "../../../platform/http/request-origin.ts";
import type { AuditNotes } from "../../audit/note-service.ts";
import { type Machine, selectMachineAgents } from "./identity-queries.ts";

export interface ExchangeNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
  readonly logger: Logger;
}

/** Returns the token of the agent of a machine that has proved its identity; throws the answers of docs/protocol/rest.md §3. */
export async function exchangeIdentity(
  { db, secrets, notes, logger }: ExchangeNeeds,
  machine: Machine,
  origin: RequestOrigin,
): Promise<string> {
  const { auth, instanceId, agentName } = machine;
  const shown = JSON.stringify(instanceId);
  // No agent is identified by anything else, and the database might reject it.
  const rows = isInstanceId(instanceId) ? await selectMachineAgents(db, machine) : [];
  const choice = chooseAgent(rows.map(candidateOf), agentName);
  switch (choice.type) {
    case "chosen":
      await noteExchange(notes, machine, choice.candidate, origin);
      return openAgentToken(secrets, choice.candidate.sealed);
    case "no-agent":
      throw new NotFound(`Instance with id ${shown} not found.`);
    case "no-agent-of-name":
      throw new NotFound(
        `No agent found with instance ID ${shown} and name ${JSON.stringify(agentName)}.`,
      );
    case "contested":
      logger.warn(
        { auth, instanceId, workspaces: choice.workspaceIds },
        "a machine gets no token because several workspaces name it",
      );
      throw new Conflict(
        `Several workspaces name the instance ${shown}, so none of them gets a token.`,
        {
          detail: "Stop or delete all but one of them, or give each an instance of its own.",
        },
      );
    case "unnamed":
      throw new Conflict(
        `Multiple agents found with instance ID ${shown}. Set CODER_AGENT_NAME to one of: ${choice.names.join(", ")}`,
      );
    case "outdated":
      throw new Invalid(
        `Resource found for id ${shown}, but isn't registered on the latest history.`,
      );
  }
}

type Row = Awaited<ReturnType<typeof selectMachineAgents>>[number];

interface KnownCandidate extends AgentCandidate {
  readonly agentId: string;
  readonly sealed: Buffer;
}

/** An agent makes this request before each connection; it is audited once in this time for each address. */
const noteExchangeOnceInMs = 3_600_000;

async function noteExchange(
  notes: AuditNotes,
  { auth, instanceId }: Machine,
  { agentId, name, workspaceId }: KnownCandidate,
  origin: RequestOrigin,
): Promise<void> {
  await notes.record(
    {
      by: { id: undefined, origin },
      organizationId: undefined,
      action: "login",
      resourceType: "workspace_agent",
      resourceId: agentId,
      target: name,
      diff: {},
      fields: { auth, instance_id: instanceId, workspace_id: workspaceId },
    },
    {
      key: `exchange ${agentId} ${addressKey(origin.ip)}`,
      onceInMs: noteExchangeOnceInMs,
    },
  );
}

function candidateOf(row: Row): KnownCandidate {
  const replaced = row.is_ending ? "ending" : "starting";
  return {
    name: row.name,
    workspaceId: row.workspace_id,
    workspace: row.is_current ? "current" : replaced,
    isWaiting: row.is_waiting,
    isOfPool: row.is_of_pool === true,
    agentId: row.id,
    sealed: row.auth_token_encrypted,
  };
}
