import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import type { TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";

import { Coordinator } from "../../src/network/coordinator/coordinator.ts";
import { PostgresDirectory } from "../../src/network/coordinator/postgres-directory.ts";
import { connectionOptions, type Database, openDatabase } from "../../src/platform/db/database.ts";
import { HeartbeatConnection } from "../../src/platform/db/heartbeat-connection.ts";
import { PostgresPubSub } from "../../src/platform/pubsub/postgres-pubsub.ts";
import {
  type CoordinatorReplica,
  type CoordinatorsUnderTest,
  quickTimes,
} from "./coordinator-world.ts";

const parts = { clock: systemClock, logger: silentLogger };

/** A replica with its own connections. */
export interface Replica extends CoordinatorReplica {
  readonly db: Database;
  readonly directory: PostgresDirectory;
}

/** Opens a replica with its own connections; `kill` cuts them. */
export async function openReplica(url: string, times = quickTimes): Promise<Replica> {
  const db = openDatabase({ url }, silentLogger);
  const pubsub = new PostgresPubSub({
    db,
    connection: connectionOptions({ url }),
    replicaId: randomUUID(),
    ...parts,
  });
  const heartbeats = new HeartbeatConnection({ db, address: { url }, logger: silentLogger });
  const directory = await PostgresDirectory.open({ db, heartbeats, pubsub, times, ...parts });
  const coordinator = new Coordinator({ directory, ...parts });
  const kill = async (): Promise<void> => {
    await pubsub[Symbol.asyncDispose]();
    await heartbeats[Symbol.asyncDispose]();
    await db.destroy();
  };
  return { db, directory, coordinator, kill };
}

/** Replicas on a database, which has none of their peers when they have ended. */
export async function openOnPostgres({ url, db }: TestDatabase): Promise<CoordinatorsUnderTest> {
  const opened: Replica[] = [];
  return {
    openReplica: async () => {
      const replica = await openReplica(url);
      opened.push(replica);
      return replica;
    },
    [Symbol.asyncDispose]: async () => {
      for (const replica of opened) await replica.kill().catch(() => undefined);
      await sql`truncate tailnet_coordinators, tailnet_reservations cascade`.execute(db);
    },
  };
}
