import type { AgentLog } from "@slipway/api/agents/log-routes";
import { maxLogMessageBytes } from "@slipway/api/agents/log-routes";

import type { Database } from "../../../platform/db/database.ts";
import { keepAlive, type PeerSocket, refuseMessages } from "../../../platform/http/peer-socket.ts";
import type { Platform } from "../../../platform/platform.ts";
import type { GatheredReads } from "../../../platform/pubsub/gathered-reads.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { watch } from "../../../platform/pubsub/watch.ts";
import { isLive } from "../live-queries.ts";
import { maxLogsPerRead, readLogs } from "./log-store.ts";

export interface LogFollowNeeds extends Pick<Platform, "db" | "pubsub" | "clock"> {
  /** The reads of all followers on this replica: those at the same position of a log share the next read. */
  readonly logReads: GatheredReads<LogPart>;
}

/** A part of a log, and the messages that carry it. */
export interface LogPart {
  readonly logs: readonly AgentLog[];
  readonly messages: readonly string[];
  /** True if the agent was live before the part was read. */
  readonly isCurrent: boolean;
}

/** The agent whose log is followed, and the position to follow from. */
export interface LogPosition {
  readonly agentId: string;
  readonly workspaceId: string;
  readonly after: number;
}

const pollMs = 30_000;

/**
 * Streams an agent's log as arrays of lines: first the existing lines, perhaps none, then new ones. Ends when the agent
 * is no longer live (docs/protocol/rest.md §6.2).
 */
export async function streamAgentLogs(
  needs: LogFollowNeeds,
  socket: PeerSocket,
  position: LogPosition,
): Promise<void> {
  keepAlive(socket);
  refuseMessages(socket, 1008, "unexpected data message");
  const { db, pubsub, clock, logReads } = needs;
  const { agentId, workspaceId } = position;
  let last = position.after;
  let isFirst = true;
  for await (const _ of watch({
    pubsub,
    topics: [topics.agentLogs(agentId), topics.workspace(workspaceId)],
    maxWaitMs: pollMs,
    clock,
    signal: socket.signal,
  })) {
    let part: LogPart;
    let isCurrent = true;
    do {
      const after = last;
      part = await logReads.read(`${agentId} ${after}`, () => readPart(db, agentId, after));
      isCurrent &&= part.isCurrent;
      if (part.logs.length > 0 || isFirst) {
        for (const message of part.messages) await socket.sendText(message);
        isFirst = false;
      }
      last = part.logs.at(-1)?.id ?? last;
    } while (part.logs.length === maxLogsPerRead);
    if (!isCurrent) return;
  }
}

async function readPart(db: Database, agentId: string, after: number): Promise<LogPart> {
  // Checked before the read, so that all lines from before the end are sent.
  const isCurrent = await isLive(db, agentId);
  const logs = await readLogs(db, agentId, { after, before: undefined });
  return { logs, messages: logMessages(logs), isCurrent };
}

/** Splits lines into messages that stock clients can read; returns at least one, for no lines an empty array. */
export function logMessages(logs: readonly AgentLog[]): readonly string[] {
  const messages: string[] = [];
  let items: string[] = [];
  let size = 0;
  for (const log of logs) {
    const item = JSON.stringify(log);
    const bytes = Buffer.byteLength(item) + 1;
    // Brackets and the line feed take three bytes.
    if (items.length > 0 && size + bytes + 3 > maxLogMessageBytes) {
      messages.push(`[${items.join(",")}]\n`);
      items = [];
      size = 0;
    }
    items.push(item);
    size += bytes;
  }
  messages.push(`[${items.join(",")}]\n`);
  return messages;
}
