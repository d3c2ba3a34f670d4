import type { LogLevel } from "@slipway/api";
import {
  type BatchCreateLogsRequest,
  type BatchCreateLogsResponseSchema,
  type Log,
  Log_Level,
  type MessageInitShape,
  timestampToNs,
} from "@slipway/wire";

import { topics } from "../../pubsub/pubsub.ts";
import { RpcFailure } from "../../rpc/handler.ts";
import { appendLogs } from "../log-store.ts";
import type { AgentRpcContext } from "./context.ts";
import { uuidField } from "./fields.ts";
import { insertLogSource, selectIsOverflowed } from "./queries.ts";

type Needs = Pick<AgentRpcContext, "db" | "pubsub" | "agent">;
type Answer = MessageInitShape<typeof BatchCreateLogsResponseSchema>;

/** Lines in one batch: a stock agent counts 21 bytes of overhead a line into its 1 MiB, so it sends fewer. */
const maxLinesPerBatch = 65_536;
const nilUuid = "00000000-0000-0000-0000-000000000000";

/** Where lines go that name no source (`rpc.md` section 7.7). */
const externalSource = {
  id: "3b579bf4-1ed8-4b99-87a8-e9a1e3410410",
  displayName: "External",
  icon: "/emojis/1f310.png",
};

/** Takes the batches of log lines of one session (`rpc.md` section 7.7). */
export function logReceiver(needs: Needs): (request: BatchCreateLogsRequest) => Promise<Answer> {
  const { db, pubsub, agent } = needs;
  let hasExternalSource = false;

  const sourceOf = async (bytes: Uint8Array): Promise<string> => {
    const id = bytes.length === 0 ? nilUuid : uuidField(bytes, "log_source_id");
    if (id !== nilUuid) return id;
    if (!hasExternalSource) await insertLogSource(db, agent.agentId, externalSource);
    hasExternalSource = true;
    return externalSource.id;
  };

  return async ({ logSourceId, logs }) => {
    if (logs.length === 0) return { logLimitExceeded: await selectIsOverflowed(db, agent.agentId) };
    if (logs.length > maxLinesPerBatch) {
      throw new RpcFailure(`batch has ${logs.length} lines, at most ${maxLinesPerBatch} are taken`);
    }
    const sourceId = await sourceOf(logSourceId);
    const result = await appendLogs(db, {
      agentId: agent.agentId,
      sourceId,
      lines: logs.map(readLine),
    });
    const isOverflowed = result.type === "overflowed";
    if (!isOverflowed || result.isFirst) pubsub.publish(topics.agentLogs(agent.agentId));
    return { logLimitExceeded: isOverflowed };
  };
}

const levels: ReadonlyMap<number, LogLevel> = new Map([
  [Log_Level.TRACE, "trace"],
  [Log_Level.DEBUG, "debug"],
  [Log_Level.INFO, "info"],
  [Log_Level.WARN, "warn"],
  [Log_Level.ERROR, "error"],
]);

function readLine({ createdAt, level, output }: Log) {
  const ns = timestampToNs(createdAt);
  return {
    // The time only tells a repeated batch; one beyond the database's numbers tells nothing.
    createdNs: BigInt.asIntN(64, ns) === ns ? ns : 0n,
    level: levels.get(level) ?? "info",
    output,
  };
}
