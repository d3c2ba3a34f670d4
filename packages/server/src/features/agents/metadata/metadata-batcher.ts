import { errorText, Scope } from "@slipway/runtime";
import { maxMetadata } from "@slipway/template";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { lossyCommit } from "../../../platform/db/lossy-commit.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";

/** A collected value, trimmed and cut to its limits. */
export interface MetadataValue {
  readonly key: string;
  readonly value: string;
  readonly error: string;
}

/** A value of an agent, with the time of its receipt, in milliseconds since the epoch. */
interface MetadataUpdate extends MetadataValue {
  readonly agentId: string;
  readonly receivedMs: number;
}

/** The destination of the values that agents collect. */
export interface MetadataSink {
  /** Accepts the newest values of an agent's keys, and stores them within a second or so. */
  put(agentId: string, values: readonly MetadataValue[]): void;
}

/** The period whose values are stored with one statement, regardless of their agents. */
const gatherMs = 1_000;
/** The maximum number of an agent's keys with waiting values, as in a template. Beyond it, the oldest are dropped. */
export const maxKeysPerAgent = maxMetadata;

/**
 * Stores the metadata of all agents of this replica, the newest value of each key, with one statement a second: a
 * thousand agents cost the database no more than one. Agents collect values lost with a killed server again. While the
 * database does not answer, at most one value waits for each key of the authenticated agents.
 */
export class MetadataBatcher implements MetadataSink, AsyncDisposable {
  readonly #needs: Platform;
  readonly #scope = new Scope();
  /** By agent, then by key. */
  #waiting = new Map<string, Map<string, MetadataUpdate>>();

  constructor(needs: Platform) {
    this.#needs = needs;
    this.#scope.run((signal) => this.#storeRegularly(signal));
  }

  put(agentId: string, values: readonly MetadataValue[]): void {
    const receivedMs = this.#needs.clock.now();
    for (const value of values) this.#keep({ agentId, ...value, receivedMs });
  }

  /** Stores the waiting values, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
    await this.#store();
  }

  #keep(update: MetadataUpdate): void {
    const ofAgent = this.#waiting.get(update.agentId) ?? new Map<string, MetadataUpdate>();
    this.#waiting.set(update.agentId, ofAgent);
    // Reinserted, so that the order is by age.
    ofAgent.delete(update.key);
    ofAgent.set(update.key, update);
    if (ofAgent.size <= maxKeysPerAgent) return;
    for (const oldest of ofAgent.keys()) {
      ofAgent.delete(oldest);
      break;
    }
  }

  async #storeRegularly(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#needs.clock.sleep(gatherMs, signal);
      await this.#store();
    }
  }

  async #store(): Promise<void> {
    const { db, pubsub, logger } = this.#needs;
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    const updates = [...waiting.values()].flatMap((ofAgent) => Array.from(ofAgent.values()));
    try {
      await updateMetadata(db, updates);
    } catch (error) {
      logger.warn({ error: errorText(error) }, "cannot store metadata, retrying");
      const newer = this.#waiting;
      this.#waiting = new Map();
      for (const update of updates) this.#keep(update);
      for (const ofAgent of newer.values())
        for (const update of ofAgent.values()) this.#keep(update);
      return;
    }
    for (const agentId of waiting.keys()) pubsub.publish(topics.agentMetadata(agentId));
  }
}

/** Stores values of different agents or keys, except those of keys that their agents do not have. */
export async function updateMetadata(
  db: Queryable,
  updates: readonly MetadataUpdate[],
): Promise<void> {
  await sql`
    update workspace_agent_metadata m
      set value = new.value, error = new.error,
        collected_at = to_timestamp(new.received_ms / 1000.0)
      from unnest(
        ${updates.map((item) => item.agentId)}::uuid[],
        ${updates.map((item) => item.key)}::text[],
        ${updates.map((item) => item.value)}::text[],
        ${updates.map((item) => item.error)}::text[],
        ${updates.map((item) => item.receivedMs)}::bigint[]
      ) as new (agent_id, key, value, error, received_ms)
        cross join ${lossyCommit}
      where m.workspace_agent_id = new.agent_id and m.key = new.key`.execute(db);
}
