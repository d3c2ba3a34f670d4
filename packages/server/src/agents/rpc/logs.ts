import type { LogLevel } from "@slipway/api";
import {
  type BatchCreateLogsRequest,
  type BatchCreateLogsResponseSchema,
  type Log,
  Log_Level,
  type MessageInitShape,
  timestampToNs,
} from "@slipway/wire";

import { RpcFailure } from "../../rpc/handler.ts";
import { ensureExternalSource, storeAgentLogs } from "../log-service.ts";
import type { AgentRpcContext } from "./context.ts";
import { uuidField } from "./fields.ts";

type Needs = Pick<AgentRpcContext, "db" | "pubsub" | "agent" | "storedLogLines">;
type Answer = MessageInitShape<typeof BatchCreateLogsResponseSchema>;

/** Lines in one batch: a stock agent counts 21 bytes of overhead a line into its 1 MiB, so it sends fewer. */
const maxLinesPerBatch = 65_536;
const nilUuid = "00000000-0000-0000-0000-000000000000";
/** Never that the limit is passed: stock agents would send nothing any more, and the newest lines are kept. */
const accepted: Answer = { logLimitExceeded: false };

/** Takes the batches of log lines of one session (`rpc.md` section 7.7). */
export function logReceiver(needs: Needs): (request: BatchCreateLogsRequest) => Promise<Answer> {
  const { db, agent } = needs;
  let externalSourceId: string | undefined;

  const sourceOf = async (bytes: Uint8Array): Promise<string> => {
    const id = bytes.length === 0 ? nilUuid : uuidField(bytes, "log_source_id");
    if (id !== nilUuid) return id;
    return (externalSourceId ??= await ensureExternalSource(db, agent.agentId));
  };

  return async ({ logSourceId, logs }) => {
    if (logs.length === 0) return accepted;
    if (logs.length > maxLinesPerBatch) {
      throw new RpcFailure(`batch has ${logs.length} lines, at most ${maxLinesPerBatch} are taken`);
    }
    await storeAgentLogs(needs, agent, await sourceOf(logSourceId), logs.map(readLine));
    return accepted;
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
