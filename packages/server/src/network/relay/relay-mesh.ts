import type { Relay } from "@slipway/relay";
import { errorText, type Logger, Scope, settlesWithin, spread, Wake } from "@slipway/runtime";
import type { RelayDialer } from "@slipway/tailnet/relay/relay-stream";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { linkRelay, type LinkTarget } from "./link-relay.ts";
import { isLoopback } from "./replica-url.ts";

/** A relay as it announces itself to the others. */
export interface RelayReplica {
  readonly id: string;
  /** The URL at which others reach it. */
  readonly url: string;
  /** The name of its machine, the only one on which a loopback address is reachable. */
  readonly host: string;
}

/** The interval at which a relay announces itself and looks for others (docs/protocol/tailnet.md §4.8). */
const beatMs = 5_000;
/** The silence after which a relay is gone: several missed heartbeats. */
const silentSeconds = 30;
/** The time between two attempts to reach another relay, in addition to the time for a farewell. */
const retryMs = 3_000;
/** The lifetime of a link that both relays have accepted, longer than any attempt to connect. */
const stableMs = 15_000;
/** The time for the last statement of a stopping server, and for others to learn of the stop. */
const farewellMs = 2_000;

interface RelayMeshOptions extends Platform {
  readonly relay: Pick<Relay, "link">;
  readonly dialer: RelayDialer;
  /** This replica; its id is new for each process. */
  readonly self: RelayReplica;
}

/** Links a replica's relay to those of the others, as they come and go. */
export class RelayMesh {
  readonly #options: RelayMeshOptions;
  /** The links to others, by their id and URL. */
  readonly #links = new Map<string, Scope>();

  private constructor(options: RelayMeshOptions) {
    this.#options = options;
  }

  /** Announces the relay, so that others link to it. */
  static async open(options: RelayMeshOptions): Promise<RelayMesh> {
    await upsertReplica(options.db, options.self);
    options.pubsub.publish(topics.relays);
    return new RelayMesh(options);
  }

  /** The number of other replicas that are announced. */
  get replicas(): number {
    return this.#links.size;
  }

  /** Runs until the signal is aborted, which also closes the links. */
  async run(signal: AbortSignal): Promise<void> {
    const { pubsub, clock, logger } = this.#options;
    const wake = new Wake();
    using _ = pubsub.subscribe(topics.relays, () => wake.wake());
    try {
      while (!signal.aborted) {
        try {
          await this.#beat();
        } catch (error) {
          // The existing links stay.
          logger.debug({ error: errorText(error) }, "cannot look up the relays of other replicas");
        }
        await wake.wait(spread(beatMs), clock, signal);
      }
    } finally {
      await Promise.all(this.#links.values().map((link) => link.close()));
      // Without a farewell, others forget the relay once it is silent.
      await settlesWithin(this.#leave(), farewellMs, clock).catch(() => undefined);
    }
  }

  /** Notifies the others, so that they close their links before they lose them. */
  async #leave(): Promise<void> {
    const { db, pubsub, self } = this.#options;
    await deleteReplica(db, self.id);
    pubsub.publish(topics.relays);
  }

  async #beat(): Promise<void> {
    const { db, self } = this.#options;
    await upsertReplica(db, self);
    await deleteSilentReplicas(db, silentSeconds);
    const all = await selectOtherReplicas(db, self.id);
    const others = all.filter((one) => this.#isReachable(one) && !this.#isPredecessor(one));
    const wanted = new Map(others.map((one) => [`${one.id} ${one.url}`, one]));
    for (const [name, link] of this.#links) {
      if (wanted.has(name)) continue;
      this.#links.delete(name);
      await link.close();
    }
    for (const [name, replica] of wanted) {
      if (!this.#links.has(name)) this.#links.set(name, this.#open(replica));
    }
  }

  /** Returns whether another relay is reachable: a loopback address of another machine leads to this one. */
  #isReachable({ url, host }: RelayReplica): boolean {
    return host === this.#options.self.host || !isLoopback(url);
  }

  /** Returns whether a relay at this one's address was killed there before; others forget it once it is silent. */
  #isPredecessor({ url, host }: RelayReplica): boolean {
    const { self } = this.#options;
    return url === self.url && (host === self.host || !isLoopback(url));
  }

  #open({ id, url }: RelayReplica): Scope {
    const link = new Scope();
    const logger = this.#options.logger.child({ replica: id, url });
    link.run((signal) => this.#keepLinked({ id, url }, logger, signal));
    link.failed.catch((error: unknown) => {
      logger.error({ error: errorText(error) }, "link to another relay failed");
    });
    return link;
  }

  async #keepLinked(other: LinkTarget, logger: Logger, signal: AbortSignal): Promise<void> {
    const { relay, dialer, clock } = this.#options;
    let isWarned = false;
    while (!signal.aborted) {
      const beganAtMs = clock.monotonic();
      try {
        await linkRelay(other, { relay, dialer, clock, signal });
      } catch (error) {
        signal.throwIfAborted();
        const wasStable = clock.monotonic() - beganAtMs > stableMs;
        await clock.sleep(farewellMs, signal);
        const fields = { error: errorText(error) };
        if (wasStable) logger.info(fields, "link to the relay of another replica lost");
        else if (isWarned) logger.debug(fields, "no link to the relay of another replica");
        else logger.warn(fields, "no link to the relay of another replica");
        isWarned = !wasStable;
      }
      await clock.sleep(spread(retryMs), signal);
    }
  }
}

export async function upsertReplica(db: Queryable, replica: RelayReplica): Promise<void> {
  const { id, url, host } = replica;
  const row = { url, host, heartbeat_at: sql<string>`now()` };
  await db
    .insertInto("relay_replicas")
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

async function deleteReplica(db: Queryable, id: string): Promise<void> {
  await db.deleteFrom("relay_replicas").where("id", "=", id).execute();
}

/** Deletes the relays not heard from for a while. */
async function deleteSilentReplicas(db: Queryable, seconds: number): Promise<void> {
  await db
    .deleteFrom("relay_replicas")
    .where("heartbeat_at", "<", sql<string>`now() - make_interval(secs => ${seconds})`)
    .execute();
}

/** Selects the other relays. */
function selectOtherReplicas(db: Queryable, id: string): Promise<RelayReplica[]> {
  return db
    .selectFrom("relay_replicas")
    .where("id", "<>", id)
    .select(["id", "url", "host"])
    .orderBy("id")
    .execute();
}
