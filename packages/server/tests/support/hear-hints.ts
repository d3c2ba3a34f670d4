import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { countHints } from "@slipway/testkit/compliance";

import { connectionOptions, type Database } from "../../src/platform/db/database.ts";
import { PostgresPubSub } from "../../src/platform/pubsub/postgres-pubsub.ts";

/** Listens to topics as another replica does; resolves to a function that returns whether each had a hint since. */
export async function hearHints(
  opened: AsyncDisposableStack,
  { db, postgresUrl }: { readonly db: Database; readonly postgresUrl: string },
  wanted: readonly string[],
): Promise<() => readonly boolean[]> {
  const connection = connectionOptions({ url: postgresUrl });
  const options = { db, connection, replicaId: randomUUID(), clock: systemClock };
  const pubsub = opened.use(new PostgresPubSub({ ...options, logger: silentLogger }));
  const counts = wanted.map((topic) => opened.use(countHints(pubsub, topic)));
  // Subscribers from before it listens get a hint when it does.
  await Promise.all(counts.map((hints) => hints.next()));
  const before = counts.map(({ count }) => count);
  return () => counts.map(({ count }, index) => count > (before[index] ?? 0));
}
