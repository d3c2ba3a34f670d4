import { sql } from "kysely";

/**
 * A source of one row for the statement `select … from … cross join ${lossyCommit}`: its commit does not wait for the disk.
 * A crash of PostgreSQL may lose it, for less than a second of time, so it is for what is soon written again, such as
 * heartbeats. Hints need none: PostgreSQL never waits for a commit that only notifies.
 */
export const lossyCommit = sql`(select set_config('synchronous_commit', 'off', true)) as lossy_commit`;
