import { isIP } from "node:net";

import type { ConnectionType } from "@slipway/api/agents/connection-log-routes";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { RpcError } from "@slipway/rpc";
import { type Empty, EmptySchema } from "@slipway/wire/protobuf/descriptors";
import {
  type Connection,
  Connection_Action,
  Connection_Type,
  type ReportConnectionRequest,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import { canonicalAddress } from "../../../platform/fields/address.ts";
import { storableText } from "../../../platform/fields/storable-text.ts";
import type { Platform } from "../../../platform/platform.ts";
import { enumField, required, timeField, uuidField } from "../calls/fields.ts";
import { agentLimits } from "../calls/limits.ts";
import { notLive, requireBudget, type RpcCaller } from "../calls/rpc-caller.ts";
import { selectServersAddresses, visitorAt } from "./visits.ts";

const types: ReadonlyMap<number, ConnectionType> = new Map([
  [Connection_Type.SSH, "ssh"],
  [Connection_Type.VSCODE, "vscode"],
  [Connection_Type.JETBRAINS, "jetbrains"],
  [Connection_Type.RECONNECTING_PTY, "reconnecting_pty"],
]);

/** The number of characters kept of a reason. */
const maxReasonLength = agentLimits["coder.agent.v2.Connection"].reason.kept;

/**
 * Stores the times and the user of a connection to the agent (docs/protocol/rpc.md §7.11). Terminals that the server
 * opens are left out: it records them itself, because only it knows their users.
 */
export async function reportConnection(
  { db, clock }: Pick<Platform, "db" | "clock">,
  { agent, spend }: Pick<RpcCaller, "agent" | "spend">,
  request: ReportConnectionRequest,
): Promise<Empty> {
  const connection = required(request.connection, "connection");
  const id = uuidField(connection.id, "id");
  if (id === nilUuid) throw new RpcError("id is the nil UUID");
  const now = timestampFromMs(clock.now());
  const reported = timeField(connection.timestamp, "timestamp") ?? now;
  // Both texts have the same form, so they compare as times do. A time in the future would never expire.
  const time = reported < now ? reported : now;
  requireBudget({ spend }, "connections");
  const type = enumField(types, connection.type, "type");
  const part = partOf(connection, time);
  const address = readAddress(connection.ip);
  if (type === "reconnecting_pty" && address !== null) {
    const servers = await selectServersAddresses(db, [address]);
    if (servers.has(address)) return createMessage(EmptySchema);
  }
  const { agentId } = agent;
  const isStored = await upsertConnection(db, { id, agentId, type, address, ...part });
  if (!isStored) throw notLive();
  return createMessage(EmptySchema);
}

/** Returns the columns that one of the two reports of a connection sets. */
function partOf({ action, statusCode, reason }: Connection, time: string) {
  if (action === Connection_Action.CONNECT) {
    return { connectedAt: time, disconnectedAt: null, statusCode: null, reason: null };
  }
  if (action !== Connection_Action.DISCONNECT) {
    throw new RpcError(`action: unknown value ${action}`);
  }
  const text = storableText((reason ?? "").slice(0, maxReasonLength));
  return { connectedAt: null, disconnectedAt: time, statusCode, reason: text };
}

/** Returns an address in the canonical form in which the coordinator stores it; null for an invalid one. */
export function readAddress(text: string): string | null {
  return isIP(text) === 0 || text.includes("%") ? null : canonicalAddress(text);
}

interface ConnectionReport {
  readonly id: string;
  readonly agentId: string;
  readonly type: ConnectionType;
  /** The address inside the network, which identifies the client. */
  readonly address: string | null;
  readonly connectedAt: string | null;
  readonly disconnectedAt: string | null;
  readonly statusCode: number | null;
  readonly reason: string | null;
}

/**
 * Merges both reports of a connection into one row: the earliest connect, the first disconnect and the first address
 * of a client win (docs/protocol/rpc.md §7.11). Resolves to false if the agent is not live.
 */
async function upsertConnection(db: Queryable, report: ConnectionReport): Promise<boolean> {
  const { numAffectedRows } = await sql`
    with visitor as (${visitorAt(report.agentId, report.address)})
    insert into workspace_connections as c
        (id, workspace_agent_id, type, user_id, ip, connected_at, disconnected_at, status_code, reason)
      select ${report.id}::uuid, id, ${report.type}::text, visitor.user_id, visitor.ip, ${report.connectedAt}::timestamptz,
          ${report.disconnectedAt}::timestamptz, ${report.statusCode}::integer, ${report.reason}::text
        from live_agents left join visitor on true where id = ${report.agentId}
      on conflict (workspace_agent_id, id) do update set
        user_id = coalesce(c.user_id, excluded.user_id),
        ip = case when c.user_id is null then excluded.ip else c.ip end,
        connected_at = least(c.connected_at, excluded.connected_at),
        disconnected_at = coalesce(c.disconnected_at, excluded.disconnected_at),
        status_code = case when c.disconnected_at is null then excluded.status_code else c.status_code end,
        reason = case when c.disconnected_at is null then excluded.reason else c.reason end`.execute(
    db,
  );
  return numAffectedRows !== 0n;
}
