import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { type AgentCandidate, chooseAgent } from "@slipway/identity";
import { type IdentityAuth, isInstanceId } from "@slipway/template";
import { type QueryCreator, sql } from "kysely";

import { openAgentToken } from "../../../platform/auth/agent-token.ts";
import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import type { Queryable } from "../../../platform/db/database.ts";
import type { DB } from "../../../platform/db/gen/schema.ts";
import { Conflict, Invalid, NotFound } from "../../../platform/errors/errors.ts";
import { addressKey } from "../../../platform/fields/address.ts";
import type { RequestOrigin } from "../../../platform/http/request-origin.ts";
import { newestBuild } from "../../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../../platform/jobs/job-sql.ts";
import type { Platform } from "../../../platform/platform.ts";
import type { AuditNotes } from "../../audit/note-service.ts";

/** A machine that has proved its identity. */
interface Machine {
  readonly auth: IdentityAuth;
  readonly instanceId: string;
  /** The name of the agent that the machine runs; empty if it gives none. */
  readonly agentName: string;
}

export interface ExchangeNeeds extends Pick<Platform, "db" | "logger"> {
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
}

/** Returns the token of the agent that a machine runs; throws the errors of docs/protocol/rest.md §3. */
export async function exchangeIdentity(
  { db, secrets, notes, logger }: ExchangeNeeds,
  machine: Machine,
  origin: RequestOrigin,
): Promise<string> {
  const { auth, instanceId, agentName } = machine;
  const shown = JSON.stringify(instanceId);
  // Nothing else identifies an agent, and the database might reject it.
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
        "no token issued: several workspaces name the machine",
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

type MachineAgentRow = Awaited<ReturnType<typeof selectMachineAgents>>[number];

interface KnownCandidate extends AgentCandidate {
  readonly agentId: string;
  readonly sealed: Buffer;
}

/** The interval at which the requests of an address are audited: agents make one before each connection. */
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

function candidateOf(row: MachineAgentRow): KnownCandidate {
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

/**
 * The maximum number of workspaces read for a machine. Two live ones suffice to refuse it; the log lists the others.
 */
const maxWorkspaces = 5;

/**
 * Selects the agents that a machine identifies, of its first workspaces: those with an agent of the wanted name before
 * others, live ones before ending ones, owned ones before those in a pool. So workspaces whose builds failed or were
 * canceled never hide a live one from `chooseAgent`.
 */
async function selectMachineAgents(db: Queryable, machine: Machine) {
  const { auth, instanceId, agentName } = machine;
  return db
    .with("known", (cte) => machineAgents(cte, machine))
    .with("ranked", (cte) =>
      cte
        .selectFrom("known")
        .selectAll()
        .select(
          sql<number>`dense_rank() over (
            order by name = ${agentName} desc, is_ending, is_waiting, workspace_id)`.as("place"),
        ),
    )
    .selectFrom("ranked")
    .where("place", "<=", maxWorkspaces)
    .orderBy("place")
    .orderBy("name")
    .select(["id", "name", "auth_token_encrypted", "workspace_id", "is_current", "is_ending"])
    .select((eb) => [
      "is_waiting",
      eb
        .exists(
          eb
            .selectFrom("workspace_builds as first")
            .innerJoin("workspace_agents as created", "created.workspace_build_id", "first.id")
            .whereRef("first.workspace_id", "=", "ranked.workspace_id")
            .where("first.build_number", "=", 1)
            .where("first.initiator_id", "=", prebuildsUserId)
            .where("created.auth", "=", auth)
            .where("created.auth_instance_id", "=", instanceId)
            .select("created.id"),
        )
        .as("is_of_pool"),
    ])
    .execute();
}

/** Selects every root agent identified by a machine that belongs to the newest successful build of its workspace. */
function machineAgents(db: QueryCreator<DB>, { auth, instanceId }: Machine) {
  return db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("jobs as job", "job.id", "build.job_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoinLateral(newestBuild(sql.ref("workspace.id")).as("newest"), (join) => join.onTrue())
    .where("agent.auth_instance_id", "=", instanceId)
    .where("agent.auth", "=", auth)
    .where("agent.parent_id", "is", null)
    .where("agent.deleted", "=", sql.lit(false))
    .where("workspace.deleted", "=", sql.lit(false))
    .where("job.completed_at", "is not", null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("workspace_builds as later")
            .innerJoin("jobs as later_job", "later_job.id", "later.job_id")
            .whereRef("later.workspace_id", "=", "build.workspace_id")
            .whereRef("later.build_number", ">", "build.build_number")
            .where(hasSucceeded("later_job"))
            .select("later.id"),
        ),
      ),
    )
    .select((eb) => [
      "agent.id",
      "agent.name",
      "agent.auth_token_encrypted",
      "workspace.id as workspace_id",
      sql<boolean>`newest.id = build.id`.as("is_current"),
      sql<boolean>`newest.id <> build.id and newest.transition <> 'start'`.as("is_ending"),
      eb("workspace.prebuild_preset_id", "is not", null).$castTo<boolean>().as("is_waiting"),
    ]);
}
