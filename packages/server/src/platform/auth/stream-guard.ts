import { errorText } from "@slipway/runtime";

import type { Queryable } from "../db/database.ts";
import type { OpenStreams } from "../http/open-streams.ts";
import type { Platform } from "../platform.ts";
import { watchAll } from "../pubsub/watch-all.ts";
import { selectLiveKeys } from "./queries.ts";
import type { TokenLimits } from "./token-lifetime.ts";

/** The interval of checks without a hint: a key that expires sends none. */
const repeatMs = 5_000;

export interface StreamGuardNeeds extends Platform {
  readonly limits: TokenLimits;
}

/**
 * Closes the open streams of users who lost access: the key was deleted or has expired, or the user was suspended or
 * deleted, or has other roles, and may then reopen the streams that these allow. Ends with the signal.
 */
export async function guardStreams(
  { db, pubsub, clock, logger, limits }: StreamGuardNeeds,
  streams: OpenStreams,
  signal: AbortSignal,
): Promise<void> {
  const looks = watchAll({ pubsub, kind: "sessions", maxWaitMs: repeatMs, clock, signal });
  for await (const users of looks) {
    try {
      const ended = await endStaleStreams(db, limits, streams, users);
      if (ended > 0) logger.info({ streams: ended }, "streams of ended sessions closed");
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ error: errorText(error) }, "cannot check the sessions of open streams");
    }
  }
}

async function endStaleStreams(
  db: Queryable,
  limits: TokenLimits,
  streams: OpenStreams,
  users: ReadonlySet<string> | "all",
): Promise<number> {
  const keyIds = streams.keyIds(users);
  if (keyIds.length === 0) return 0;
  const asked = new Set(keyIds);
  const live = new Map(
    (await selectLiveKeys(db, keyIds, limits)).map((key) => [key.id, key.roles]),
  );
  return streams.endWhere(({ keyId, roles }) => {
    // A stream that was opened in the meantime was also authenticated in the meantime.
    if (!asked.has(keyId)) return false;
    const now = live.get(keyId);
    return now === undefined || now.toSorted().join() !== roles.toSorted().join();
  });
}
