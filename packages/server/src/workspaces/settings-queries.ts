import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { Autostart, WorkspaceRow, WorkspaceSettings } from "./queries.ts";

/** The settings of a workspace that change by themselves; what is left out stays. */
export interface SettingsChange {
  readonly name?: string;
  readonly favorite?: boolean;
  readonly automatic_updates?: WorkspaceRow["automatic_updates"];
  readonly ttl_ms?: number | null;
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

/** Puts a workspace to sleep or wakes it up; waking up counts as use. */
export async function updateDormantAt(
  db: Queryable,
  workspaceId: string,
  isDormant: boolean,
): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({
      dormant_at: isDormant ? sql`now()` : null,
      updated_at: sql`now()`,
      ...(isDormant ? {} : { last_used_at: sql`now()` }),
    })
    .where("id", "=", workspaceId)
    .execute();
}

/** What the owner of a claimed workspace wants of it, in the place of what the prebuild had. */
export async function updateClaimed(
  db: Queryable,
  workspaceId: string,
  settings: WorkspaceSettings,
): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({
      automatic_updates: settings.automaticUpdates,
      autostart_schedule: settings.autostart?.schedule ?? null,
      next_start_at: settings.autostart?.nextAt ?? null,
      ttl_ms:
        settings.ttlMs ??
        sql`(select nullif(default_ttl_ms, 0) from templates where id = workspaces.template_id)`,
    })
    .where("id", "=", workspaceId)
    .execute();
}
