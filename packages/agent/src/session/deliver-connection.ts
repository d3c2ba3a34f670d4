import { RpcError } from "@slipway/rpc";
import { errorText, type Logger, withTimeout } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";

import type { ConnectionReport } from "../connections/session-log.ts";
import { reportConnection } from "./report-calls.ts";

const limitMs = 30_000;

/** Delivers one report. A refused report would be refused again: it is logged and counts as delivered. */
export async function deliverConnection(
  connection: AgentConnection,
  report: ConnectionReport,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await reportConnection(connection, report, withTimeout(signal, limitMs));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    logger.warn({ id: report.id, error: errorText(error) }, "connection report refused");
  }
}
