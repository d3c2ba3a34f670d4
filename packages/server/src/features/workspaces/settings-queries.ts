import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { Autostart, WorkspaceRow } from "./queries.ts";

/** The settings of a workspace that change independently; an omitted one stays. */
export interface SettingsChange {
  readonly name?: string;
  readonly favorite?: boolean;
  readonly automatic_updates?: WorkspaceRow["automatic_updates"];
  readonly ttl_ms?: number | null;
  readonly on_deadline?: WorkspaceRow["on_deadline"];
}

export async function updateSettings(
  db: Queryable,
  workspaceId: string,
  change: SettingsChange,
): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ ...change, updated_at: sql`now()` })
    .where("id", "=", workspaceId)
    .execute();
}

export async function updateAutostart(
  db: Queryable,
  workspaceId: string,
  autostart: Autostart | undefined,
): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({
      autostart_schedule: autostart?.schedule ?? null,
      next_start_at: autostart?.nextAt ?? null,
      updated_at: sql`now()`,
    })
    .where("id", "=", workspaceId)
    .execute();
}

/** Records the use of a workspace. */
export async function updateLastUsedAt(db: Queryable, workspaceId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ last_used_at: sql`now()` })
    .where("id", "=", workspaceId)
    .execute();
}

/** Makes a workspace dormant from a time on, or wakes it up; waking up counts as use. */
export async function updateDormantAt(
  db: Queryable,
  workspaceId: string,
  dormantAt: string | null,
): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({
      dormant_at: dormantAt,
      // The message of this moment announces a deletion that is a day away.
      last_day_at: dormantAt,
      updated_at: sql`now()`,
      ...(dormantAt === null ? { last_used_at: sql`now()` } : {}),
    })
    .where("id", "=", workspaceId)
    .execute();
}

/** Begins the last day of a dormant workspace before its deletion. */
export async function updateLastDay(
  db: Queryable,
  workspaceId: string,
  lastDayAt: string,
): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ last_day_at: lastDayAt })
    .where("id", "=", workspaceId)
    .execute();
}
