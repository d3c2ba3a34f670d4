import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  BoundaryLog,
  ReportBoundaryLogsRequest,
  ReportBoundaryLogsResponseSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampToMs } from "@slipway/wire/protobuf/time";

import { agentLimits } from "../calls/limits.ts";
import type { RpcCaller } from "../calls/rpc-caller.ts";

/** The number of characters logged of a field. */
const maxFieldLength = agentLimits["coder.agent.v2.BoundaryLog.HttpRequest"].url.kept;

/** Writes the requests that a boundary allowed or blocked to the server's log only (docs/protocol/rpc.md §7.14). */
export async function reportBoundaryLogs(
  { logger, spend }: Pick<RpcCaller, "logger" | "spend">,
  request: ReportBoundaryLogsRequest,
): Promise<MessageInitShape<typeof ReportBoundaryLogsResponseSchema>> {
  const taken = request.logs.slice(0, spend("boundaryLogs", request.logs.length));
  const dropped = request.logs.length - taken.length;
  // Without any budget left, even this line is omitted.
  if (dropped > 0 && taken.length > 0) logger.warn({ dropped }, "boundary requests not logged");
  for (const log of taken) {
    // Unknown kinds of resources are skipped.
    if (log.resource.case !== "httpRequest") continue;
    logger.info(
      {
        session: shorten(request.sessionId),
        process: shorten(request.confinedProcessName),
        ...fieldsOf(log, log.resource.value),
      },
      "boundary request",
    );
  }
  return {};
}

function fieldsOf(
  log: BoundaryLog,
  request: { readonly method: string; readonly url: string; readonly matchedRule: string },
): Readonly<Record<string, unknown>> {
  return {
    allowed: log.allowed,
    sequence: log.sequenceNumber,
    timeMs: timestampToMs(log.time),
    method: shorten(request.method),
    url: shorten(request.url),
    ...(log.allowed ? { rule: shorten(request.matchedRule) } : {}),
  };
}

function shorten(text: string): string {
  return text.slice(0, maxFieldLength);
}
