import {
  type BoundaryLog,
  type MessageInitShape,
  type ReportBoundaryLogsRequest,
  type ReportBoundaryLogsResponseSchema,
  timestampToMs,
} from "@slipway/wire";

import { RpcFailure } from "../../rpc/handler.ts";
import type { AgentRpcContext } from "./context.ts";

const maxLogs = 1000;
/** Characters of a field that are logged. */
const maxFieldLength = 1024;

/** Writes what a boundary let pass or held back into our log; it is stored nowhere else (`rpc.md` section 7.14). */
export async function reportBoundaryLogs(
  { logger }: Pick<AgentRpcContext, "logger">,
  request: ReportBoundaryLogsRequest,
): Promise<MessageInitShape<typeof ReportBoundaryLogsResponseSchema>> {
  const { logs } = request;
  if (logs.length > maxLogs) {
    throw new RpcFailure(`report has ${logs.length} logs, at most ${maxLogs} are taken`);
  }
  for (const log of logs) {
    // Kinds of resources that are not known are left out.
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
