import { type Clock, withDeadline } from "@slipway/runtime";
import type { WorkspaceConnection } from "@slipway/sdk/workspace";

import { CommandError } from "../../command/errors.ts";

/** The time between pings while a direct path is wanted. */
const pingMs = 1_000;
/** The time for a direct path: both sides look for one every few seconds, and where none is found by then, none exists. */
const maxWaitMs = 60_000;

/** Pings an agent until the answer comes directly. Throws `CommandError` if none does in a minute. */
export async function waitForDirect(
  connection: Pick<WorkspaceConnection, "ping">,
  name: string,
  { clock, signal }: { readonly clock: Pick<Clock, "sleep">; readonly signal: AbortSignal },
): Promise<void> {
  await withDeadline(maxWaitMs, clock, async (limit) => {
    const either = AbortSignal.any([signal, limit]);
    try {
      while ((await connection.ping(either)).path.kind !== "direct") {
        await clock.sleep(pingMs, either);
      }
    } catch (error) {
      if (!limit.aborted || signal.aborted) throw error;
      throw new CommandError(`--direct: no direct connection within ${maxWaitMs / 1000} s`, {
        hint: `see what prevents it with: slipway ping ${name} -n 1; or test the relayed one without --direct`,
      });
    }
  });
}
