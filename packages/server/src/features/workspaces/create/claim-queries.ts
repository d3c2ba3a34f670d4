import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../../platform/db/database.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { newestBuild } from "../../../platform/jobs/build-sql.ts";
import { endOfLife } from "../../../platform/jobs/deadline-sql.ts";
import { type LeftProcess, leftProcesses } from "../../agents/build-service.ts";
import { type EndedAgent, endingAgents } from "../../agents/queries.ts";
import { subjectColumns } from "../../builds/build-context.ts";
import { driverResources } from "../../builds/queries.ts";
import type { SettingsColumns } from "../queries.ts";
import { changingOwner } from "./take-prebuild-queries.ts";
import type { NewOwner } from "./take-prebuild.ts";

const takenWorkspaces = prepareQuery(
  (
    db,
    workspaceId: string,
    presetId: string,
    ownerId: string,
    columns: string,
    endsAgents: boolean,
  ) =>
    db
      .with("changed", () => changingOwner(db, { workspaceId, presetId, ownerId, columns }))
      .with("claimed", (cte) =>
        cte
          .selectFrom("changed as w")
          .innerJoin("users as owner", "owner.id", "w.owner_id")
          .innerJoin("templates as t", "t.id", "w.template_id")
          .innerJoinLateral(newestBuild(sql.ref("w.id")).as("b"), (join) => join.onTrue())
          .innerJoin("jobs as j", "j.id", "b.job_id")
          .select([
            ...subjectColumns,
            "b.id as build_id",
            "b.owner_id as build_owner_id",
            "b.build_number",
            "b.transition",
            "j.worker_id",
          ])
          .select(driverResources(sql.ref("b.job_id")).as("resources"))
          .select(endOfLife.as("deadline")),
      )
      .with("ended", () =>
        endingAgents(db, sql`(select build_id from claimed)`).where(sql<boolean>`${endsAgents}`),
      )
      .selectFrom("claimed")
      .selectAll()
      .select(({ selectFrom }) =>
        jsonArrayFrom(selectFrom("ended").selectAll()).as("ended_agents"),
      ),
);

type TakenRow = Awaited<ReturnType<typeof takenWorkspaces>>[number];

/** The basis of a claim: a workspace with its new owner, and the build that its agents belong to. */
export interface ClaimedBuild extends Omit<TakenRow, "ended_agents"> {
  /** The processes of the root agents that ended, by name. */
  readonly processes: ReadonlyMap<string, LeftProcess>;
}

/** The terms on which a prebuild goes to its owner. */
export interface ClaimTerms {
  readonly settings: SettingsColumns;
  /** True if the claim takes over the agents' processes at once, which ends the agents. */
  readonly endsAgents: boolean;
}

/**
 * Gives a locked prebuild to its owner if it still waits, and ends its agents if the terms say so. Resolves to the basis
 * of the claim's build, and to undefined, with nothing changed, if the prebuild does not wait any more.
 */
export async function takeWorkspace(
  db: Queryable,
  { id, presetId }: { readonly id: string; readonly presetId: string },
  { ownerId, name }: NewOwner,
  { settings, endsAgents }: ClaimTerms,
): Promise<ClaimedBuild | undefined> {
  const columns = JSON.stringify({ ...settings, name });
  const [row] = await takenWorkspaces(db, id, presetId, ownerId, columns, endsAgents);
  if (row === undefined) return undefined;
  const { ended_agents: ended, ...claimed } = row;
  return { ...claimed, processes: leftProcesses(ended.map(readEnded)) };
}

/** Reads the tokens of an agent from JSON, in which bytes are hexadecimal. */
function readEnded(agent: TakenRow["ended_agents"][number]): EndedAgent {
  const { auth_token_hash: hash, auth_token_encrypted: sealed } = agent;
  return { ...agent, auth_token_hash: readBytes(hash), auth_token_encrypted: readBytes(sealed) };
}

function readBytes(json: unknown): Buffer {
  return Buffer.from(String(json).slice("\\x".length), "hex");
}
