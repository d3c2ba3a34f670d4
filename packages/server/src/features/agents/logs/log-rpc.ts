import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { LogLevel } from "@slipway/api/jobs/job";
import { RpcError } from "@slipway/rpc";
import { countText } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type { BatchCreateLogsResponseSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { Log_Level } from "@slipway/wire/protobuf/gen/agent_pb";
import { readLogBatch } from "@slipway/wire/protobuf/log-batch";

import type { Database } from "../../../platform/db/database.ts";
import { uuidField } from "../calls/fields.ts";
import { agentLimits } from "../calls/limits.ts";
import { notLive, type RpcCaller } from "../calls/rpc-caller.ts";
import { LinePacker, type PackedLines } from "./log-lines.ts";
import { ensureExternalSource } from "./log-sources.ts";
import { type LogNeeds, storeAgentLogs } from "./log-store.ts";

type Caller = Pick<RpcCaller, "agent" | "reserve">;
type Answer = MessageInitShape<typeof BatchCreateLogsResponseSchema>;

const limits = agentLimits["coder.agent.v2.BatchCreateLogsRequest"];
const maxLinesPerBatch = limits.logs.maxCount;
/** An accepted batch is stored even if the session ends meanwhile. */
const unending = new AbortController().signal;
/** The cost of a line in an agent's traffic, in bytes: about what storing it takes besides its text. */
const lineCost = 48;
/** Never reports the limit as exceeded: stock agents would stop sending, and the newest lines are kept. */
const accepted: Answer = { logLimitExceeded: false };

/** A `BatchCreateLogsRequest`; its lines are packed for the database as they are read. */
interface LogRequest {
  readonly logSourceId: Uint8Array;
  readonly lines: PackedLines;
}

/** The sources of lines that name none, by session. */
const externalSources = new WeakMap<Caller, string>();

/** Stores a batch of log lines (docs/protocol/rpc.md §7.7). */
export async function batchCreateLogs(
  needs: LogNeeds,
  caller: Caller,
  { logSourceId, lines }: LogRequest,
): Promise<Answer> {
  if (lines.length === 0) return accepted;
  // On top of the bytes of the text, which may be empty.
  const waitMs = caller.reserve("traffic", lines.length * lineCost);
  if (waitMs > 0) await needs.clock.sleep(waitMs, unending);
  const sourceId = await sourceOf(needs.db, caller, logSourceId);
  if (!(await storeAgentLogs(needs, caller.agent, sourceId, lines))) throw notLive();
  return accepted;
}

async function sourceOf(db: Database, caller: Caller, bytes: Uint8Array): Promise<string> {
  const id = bytes.length === 0 ? nilUuid : uuidField(bytes, "log_source_id");
  if (id !== nilUuid) return id;
  const known = externalSources.get(caller);
  if (known !== undefined) return known;
  const created = await ensureExternalSource(db, caller.agent.agentId);
  externalSources.set(caller, created);
  return created;
}

const levels: ReadonlyMap<number, LogLevel> = new Map([
  [Log_Level.TRACE, "trace"],
  [Log_Level.DEBUG, "debug"],
  [Log_Level.INFO, "info"],
  [Log_Level.WARN, "warn"],
  [Log_Level.ERROR, "error"],
]);

/** The estimated bytes per line; a wrong estimate only costs a reallocation. */
const usualLineBytes = 64;

/** Parses a request. Throws `RpcError` for too many lines or one that is not UTF-8, `ProtobufError` for bad input. */
export function parseLogRequest(bytes: Uint8Array): LogRequest {
  const packer = new LinePacker(Math.ceil(bytes.length / usualLineBytes), bytes.length);
  const logSourceId = readLogBatch(bytes, (createdNs, level, start, end) => {
    if (packer.length === maxLinesPerBatch) {
      throw new RpcError(
        `invalid argument: logs: batch has too many lines, at most ${maxLinesPerBatch} are taken`,
      );
    }
    try {
      packer.addEncoded(createdNs, levels.get(level) ?? "info", bytes, start, end);
    } catch {
      // The decoder's error adds nothing.
      throw new RpcError(`line ${packer.length + 1} is not UTF-8`);
    }
  });
  if (logSourceId.length > limits.log_source_id.maxBytes) {
    throw new RpcError(
      `invalid argument: log_source_id has ${countText(logSourceId.length, "byte")}, at most ${limits.log_source_id.maxBytes} are taken`,
    );
  }
  return { logSourceId, lines: packer.finish() };
}
