import { sql } from "kysely";

/**
 * The time to live of a workspace `w` with template `t`, in milliseconds: its owner's, or the template's default if owners may
 * not choose one; null: none.
 */
export const effectiveTtlMs = sql<number | null>`
  (case when t.allow_user_autostop then w.ttl_ms else nullif(t.default_ttl_ms, 0) end)`;

/** The deadline of a workspace `w` with template `t` that starts now; null: none. */
export const endOfLife = sql<string | null>`now() + ${effectiveTtlMs} * interval '1 millisecond'`;
