import { type Clock, settlesWithin } from "@slipway/runtime";

import type { Postmaster } from "./postmaster.ts";
import { signalProcess } from "./postmaster.ts";

const fastShutdownMs = 10_000;
const immediateShutdownMs = 5_000;

/**
 * Stops the server: a fast shutdown, which ends sessions and writes a checkpoint; then an immediate one, from which the
 * next start recovers; then a kill, from which it recovers too. Resolves when the process is gone.
 */
export async function stopPostmaster(postmaster: Postmaster, clock: Clock): Promise<void> {
  signalProcess(postmaster.pid, "SIGINT");
  if (await settlesWithin(postmaster.exited, fastShutdownMs, clock)) return;
  await abandonPostmaster(postmaster, clock);
}

/** Stops a server that is no longer needed, without waiting for a checkpoint. */
export async function abandonPostmaster(postmaster: Postmaster, clock: Clock): Promise<void> {
  signalProcess(postmaster.pid, "SIGQUIT");
  if (await settlesWithin(postmaster.exited, immediateShutdownMs, clock)) return;
  signalProcess(postmaster.pid, "SIGKILL");
  await postmaster.exited;
}
