import { isIP } from "node:net";

import { type ConnectionType, nilUuid } from "@slipway/api";
import { RpcError } from "@slipway/rpc";
import type { Clock } from "@slipway/runtime";
import {
  type Connection,
  Connection_Action,
  Connection_Type,
  type Empty,
  EmptySchema,
  createMessage,
  type ReportConnectionRequest,
} from "@slipway/wire";

import type { Database } from "../../../platform/db/database.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import { canonicalAddress } from "../../../platform/http/canonical-address.ts";
import { withoutNul } from "../../../platform/http/storable-text.ts";
import { isServersAddress } from "../connection-log/visits.ts";
import { enumField, required, timeField, uuidField } from "./fields.ts";
import { agentLimits } from "./limits.ts";
import { upsertConnection } from "./queries.ts";
import { requireBudget } from "./require-budget.ts";
import { notLive } from "./require-live.ts";
import type { RpcCaller } from "./rpc-caller.ts";

const types: ReadonlyMap<number, ConnectionType> = new Map([
  [Connection_Type.SSH, "ssh"],
  [Connection_Type.VSCODE, "vscode"],
  [Connection_Type.JETBRAINS, "jetbrains"],
  [Connection_Type.RECONNECTING_PTY, "reconnecting_pty"],
]);

/** Characters of a reason that are kept. */
const maxReasonLength = agentLimits["coder.agent.v2.Connection"].reason.kept;

interface Needs {
  readonly db: Database;
  readonly clock: Clock;
}

/**
 * Stores the times of a connection to the agent (docs/protocol/rpc.md §7.11), and its user. The server itself records the
 * terminals that it opens, for it alone knows for whom.
 */
export async function reportConnection(
  { db, clock }: Needs,
  { agent, spend }: Pick<RpcCaller, "agent" | "spend">,
  request: ReportConnectionRequest,
): Promise<Empty> {
  const connection = required(request.connection, "connection");
  const id = uuidField(connection.id, "id");
  if (id === nilUuid) throw new RpcError("id is the nil UUID");
  const now = timestampFromMs(clock.now());
  const told = timeField(connection.timestamp, "timestamp") ?? now;
  // Both texts have the same form, so they compare as times do. A future time would never grow old.
  const time = told < now ? told : now;
  requireBudget({ spend }, "connections");
  const type = enumField(types, connection.type, "type");
  const part = partOf(connection, time);
  const address = readAddress(connection.ip);
  if (type === "reconnecting_pty" && address !== null && (await isServersAddress(db, address))) {
    return createMessage(EmptySchema);
  }
  const { agentId } = agent;
  const isStored = await upsertConnection(db, { id, agentId, type, address, ...part });
  if (!isStored) throw notLive();
  return createMessage(EmptySchema);
}

/** Returns the fields that one of the two reports of a connection sets. */
function partOf({ action, statusCode, reason }: Connection, time: string) {
  if (action === Connection_Action.CONNECT) {
    return { connectedAt: time, disconnectedAt: null, statusCode: null, reason: null };
  }
  if (action !== Connection_Action.DISCONNECT) {
    throw new RpcError(`action: unknown value ${action}`);
  }
  const text = withoutNul((reason ?? "").slice(0, maxReasonLength));
  return { connectedAt: null, disconnectedAt: time, statusCode, reason: text };
}

/** Returns an address in the one form in which the coordinator stores it; null for an invalid one. */
export function readAddress(text: string): string | null {
  return isIP(text) === 0 || text.includes("%") ? null : canonicalAddress(text);
}
