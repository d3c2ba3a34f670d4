import { RpcError } from "@slipway/rpc";
import { errorText, type Logger, withTimeout } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";

import type { ScriptTiming } from "../scripts/script-result.ts";
import { scriptCompleted } from "./report-calls.ts";

const limitMs = 30_000;

/** Delivers one timing. A refused timing would be refused again: it is logged and counts as delivered. */
export async function deliverTiming(
  connection: AgentConnection,
  timing: ScriptTiming,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await scriptCompleted(connection, timing, withTimeout(signal, limitMs));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    logger.warn(
      { scriptId: timing.scriptId, error: errorText(error) },
      "timing of a script refused",
    );
  }
}
