import type { PortShare } from "@slipway/api/workspaces/port-share-routes";

import { columnFlag } from "../../command/flags.ts";
import type { Columns } from "../../terminal/table.ts";
import { type AppPlace, portUrl } from "./app-url.ts";

/** `--column` of commands that print shared ports. */
export const portShareColumnFlag = columnFlag(
  ["agent", "port", "protocol", "level", "url"],
  ["agent", "port", "protocol", "level", "url"],
);

/** Returns the columns of the shared ports of a workspace. */
export function portShareColumns(
  place: AppPlace,
): Columns<PortShare, (typeof portShareColumnFlag.columns)[number]> {
  return {
    agent: ({ agent_name }) => agent_name,
    port: ({ port }) => String(port),
    protocol: ({ protocol }) => protocol,
    level: ({ share_level }) => share_level,
    url: (share) => portUrl(share, place) ?? "-",
  };
}
