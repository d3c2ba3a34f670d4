import { Socket } from "node:net";

import {
  abortable,
  Backoff,
  type Clock,
  errorText,
  type Logger,
  Scope,
  settlesWithin,
} from "@slipway/runtime";
import { sql } from "kysely";
import pg from "pg";

import type { Database } from "../db/database.ts";
import type { Selection } from "../db/insert-rows.ts";
import { LocalListeners } from "./local-listeners.ts";
import type { Listener, LocalHints, PubSub } from "./pubsub.ts";

/** The one channel of all hints. */
const channel = "slipway";
/** The delay during which hints gather into one statement. */
const gatherMs = 5;
/** The minimum time between two such statements: each is a separate transaction, and wakes every replica. */
const paceMs = 20;
/** The time allowed for the listening connection to end: a database that hangs never ends it. */
const farewellMs = 1_000;
/** PostgreSQL accepts 7,999 bytes in one NOTIFY. */
const maxPayloadBytes = 7_900;

interface PubSubOptions {
  readonly db: Database;
  /** Options of the connection that listens. */
  readonly connection: pg.ClientConfig;
  /** Distinguishes this replica's hints from those of others. */
  readonly replicaId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Hints by LISTEN and NOTIFY. Reconnects after a lost connection, and then hints every subscriber. */
export class PostgresPubSub implements PubSub, LocalHints, AsyncDisposable {
  readonly #options: PubSubOptions;
  readonly #listeners = new LocalListeners();
  readonly #scope = new Scope();
  readonly #outgoing = new Set<string>();
  #gathering = false;
  #notifiedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: PubSubOptions) {
    this.#options = options;
    this.#scope.run((signal) => this.#listen(signal));
  }

  subscribe(topic: string, listener: Listener): Disposable {
    return this.#listeners.add(topic, listener);
  }

  publish(topic: string): void {
    this.#listeners.hint(topic);
    if (this.#scope.signal.aborted) return;
    this.#outgoing.add(topic);
    if (this.#gathering) return;
    this.#gathering = true;
    this.#scope.run(async (signal) => {
      const { clock } = this.#options;
      await clock.sleep(
        Math.max(gatherMs, this.#notifiedAtMs + paceMs - clock.monotonic()),
        signal,
      );
      this.#gathering = false;
      this.#notifiedAtMs = clock.monotonic();
      await this.#notify();
    });
  }

  hintHere(topic: string): void {
    this.#listeners.hint(topic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
    // Sends the last hints, such as that the peers of this replica are lost.
    if (this.#outgoing.size > 0) await this.#notify();
  }

  async #notify(): Promise<void> {
    const topics = [...this.#outgoing];
    this.#outgoing.clear();
    try {
      for (const payload of payloads(this.#options.replicaId, topics)) {
        await sql`select pg_notify(${channel}, ${payload})`.execute(this.#options.db);
      }
    } catch (error) {
      // A lost hint costs only latency: every waiter also checks periodically.
      this.#options.logger.debug({ error: errorText(error) }, "cannot send hints");
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        await this.#listenOnce(signal, () => backoff.reset());
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ error: errorText(error) }, "cannot listen for hints, retrying");
      }
      await clock.sleep(backoff.next(), signal);
    }
  }

  async #listenOnce(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { connection, clock } = this.#options;
    const socket = connection.stream?.() ?? new Socket();
    const client = new pg.Client({ ...connection, stream: () => socket });
    const ended = Promise.withResolvers<void>();
    client.on("error", (error) => ended.reject(error));
    client.on("end", () => ended.resolve());
    client.on("notification", (message) => this.#receive(message.payload ?? ""));
    try {
      await abortable(client.connect(), signal);
      await abortable(client.query(`listen ${channel}`), signal);
      onListening();
      // Hints sent while no one listened are lost: everyone looks again.
      this.#listeners.hintAll();
      await abortable(ended.promise, signal);
    } finally {
      // Also settles `ended` for a connection that was never made; nothing else waits for it.
      ended.promise.catch(() => undefined);
      await settlesWithin(
        client.end().catch(() => undefined),
        farewellMs,
        clock,
      );
      socket.destroy();
    }
  }

  #receive(payload: string): void {
    const [replicaId, ...topics] = payload.split("\n");
    if (replicaId === this.#options.replicaId) return;
    for (const topic of topics) this.#listeners.hint(topic);
  }
}

/** Encodes lines: the sender, then the topics; as many payloads as the size limit requires. */
function payloads(replicaId: string, topics: readonly string[]): readonly string[] {
  const result: string[] = [];
  let payload = replicaId;
  for (const topic of topics) {
    if (payload.length + 1 + topic.length > maxPayloadBytes) {
      result.push(payload);
      payload = replicaId;
    }
    payload += `\n${topic}`;
  }
  result.push(payload);
  return result;
}

/**
 * Hints every replica, including this one, once the transaction is committed, and never if it is not: for changes
 * that must not wait for the next check when a server ends right after its commit. A statement of the transaction
 * must select it.
 */
export function notifyAtCommit(topics: readonly string[]): Selection {
  return {
    name: "notify",
    // The first line is the sender, which ignores its own hints: here none.
    values: [JSON.stringify(payloads("", topics))],
    build: ([all = ""]) => sql`array(
      select pg_notify(${channel}, payload)::text from jsonb_array_elements_text(${all}::jsonb) payload)`,
  };
}
