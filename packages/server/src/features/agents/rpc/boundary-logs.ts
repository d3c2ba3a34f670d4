import {
  type BoundaryLog,
  type MessageInitShape,
  type ReportBoundaryLogsRequest,
  type ReportBoundaryLogsResponseSchema,
  timestampToMs,
} from "@slipway/wire";

import type { AgentRpcContext } from "./context.ts";
import { agentLimits } from "./limits.ts";

/** Characters of a field that are logged. */
const maxFieldLength = agentLimits["coder.agent.v2.BoundaryLog.HttpRequest"].url.kept;

/** Writes what a boundary let pass or held back into our log; it is stored nowhere else (docs/protocol/rpc.md §7.14). */
export async function reportBoundaryLogs(
  { logger, spend }: Pick<AgentRpcContext, "logger" | "spend">,
  request: ReportBoundaryLogsRequest,
): Promise<MessageInitShape<typeof ReportBoundaryLogsResponseSchema>> {
  const taken = request.logs.slice(0, spend("boundaryLogs", request.logs.length));
  const dropped = request.logs.length - taken.length;
  // One line of what was too much is a line of the budget too.
  if (dropped > 0 && taken.length > 0) logger.warn({ dropped }, "boundary requests not logged");
  for (const log of taken) {
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
