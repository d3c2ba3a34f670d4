import type { Logger } from "@slipway/runtime";

import type { SecretBox } from "../auth/secret-box.ts";
import type { Database } from "../db/database.ts";
import { HttpError } from "../http/errors.ts";
import { isInstanceId } from "../template-format/instance-id.ts";
import { type Machine, selectMachineAgents } from "./identity-queries.ts";
import { type Candidate, chooseAgent } from "./identity/choose-agent.ts";

export interface ExchangeNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly logger: Logger;
}

/** Returns the token of the agent of a machine that has proved its identity; throws the answers of `rest.md` section 3. */
export async function exchangeIdentity(
  { db, secrets, logger }: ExchangeNeeds,
  machine: Machine,
): Promise<string> {
  const { auth, instanceId, agentName } = machine;
  const shown = JSON.stringify(instanceId);
  // No agent is known by anything else, and the database might not take it.
  const rows = isInstanceId(instanceId) ? await selectMachineAgents(db, machine) : [];
  const choice = chooseAgent(rows.map(candidateOf), agentName);
  switch (choice.type) {
    case "chosen":
      return secrets.open(choice.candidate.sealed);
    case "no-agent":
      throw new HttpError(404, `Instance with id ${shown} not found.`);
    case "no-agent-of-name":
      throw new HttpError(
        404,
        `No agent found with instance ID ${shown} and name ${JSON.stringify(agentName)}.`,
      );
    case "contested":
      logger.warn(
        { auth, instanceId, workspaces: choice.workspaceIds },
        "a machine gets no token because several workspaces name it",
      );
      throw new HttpError(409, `Several workspaces name the instance ${shown}, so none gets it.`, {
        detail: "Stop or delete all of them but one, or let each name an instance of its own.",
      });
    case "unnamed":
      throw new HttpError(
        409,
        `Multiple agents found with instance ID ${shown}. Set CODER_AGENT_NAME to one of: ${choice.names.join(", ")}`,
      );
    case "outdated":
      throw new HttpError(
        400,
        `Resource found for id ${shown}, but isn't registered on the latest history.`,
      );
  }
}

type Row = Awaited<ReturnType<typeof selectMachineAgents>>[number];

function candidateOf(row: Row): Candidate & { readonly sealed: Buffer } {
  const replaced = row.is_ending ? "ending" : "starting";
  return {
    name: row.name,
    workspaceId: row.workspace_id,
    workspace: row.is_current ? "current" : replaced,
    isWaiting: row.is_waiting,
    isOfPool: row.is_of_pool === true,
    sealed: row.auth_token_encrypted,
  };
}
