import { ApiError } from "@slipway/sdk/http";

/* Changes that may have been made already: from another page, or by a request whose answer was lost. */

/** Waits for a setting to be set; that it has the value already (304) is a success too. */
export async function ensureSet(change: Promise<unknown>): Promise<void> {
  await orDone(change, 304);
}

/** Waits for a removal; that nothing is left to remove (404) is a success too, without an answer. */
export function ensureGone<T>(removal: Promise<T>): Promise<T | undefined> {
  return orDone(removal, 404);
}

async function orDone<T>(change: Promise<T>, doneStatus: number): Promise<T | undefined> {
  try {
    return await change;
  } catch (error) {
    if (error instanceof ApiError && error.status === doneStatus) return undefined;
    throw error;
  }
}
