import { type RawBuilder, sql } from "kysely";

import { inactiveTimeoutMs } from "./agent-status.ts";

const silentSeconds = sql.lit(inactiveTimeoutMs / 1000);

/** Returns the SQL condition that an agent is connected, as in `agentStatus`; `agent` is the table's alias. */
export function isConnected(agent: string): RawBuilder<boolean> {
  const column = (name: string) => sql.ref(`${agent}.${name}`);
  return sql<boolean>`coalesce(
    ${column("last_connected_at")} >= now() - make_interval(secs => ${silentSeconds})
      and ${column("last_connected_at")} > coalesce(${column("disconnected_at")}, '-infinity'), false)`;
}
