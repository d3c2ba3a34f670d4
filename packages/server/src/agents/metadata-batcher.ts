import { type Clock, errorText, type Logger, Scope } from "@slipway/runtime";

import type { Database } from "../db/database.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { type MetadataUpdate, type MetadataValue, updateMetadata } from "./metadata.ts";

/** Where sessions put the values that their agents collect. */
export interface MetadataSink {
  /** Takes the newest values of an agent; they are stored within a second or so. */
  put(agentId: string, values: readonly MetadataValue[]): void;
}

interface BatcherNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Values of this time are stored with one statement, whoever sent them. */
const gatherMs = 1_000;
/** Values that wait for a database that does not answer; the oldest give way. */
const maxWaiting = 20_000;

/**
 * Stores the metadata of all agents of this replica, the newest of each key, with one statement a second: a thousand
 * agents cost the database no more than one. What a killed server had not stored yet is collected anew by the agents.
 */
export class MetadataBatcher implements MetadataSink, AsyncDisposable {
  readonly #needs: BatcherNeeds;
  readonly #scope = new Scope();
  #waiting = new Map<string, MetadataUpdate>();

  constructor(needs: BatcherNeeds) {
    this.#needs = needs;
    this.#scope.run((signal) => this.#storeRegularly(signal));
  }

  put(agentId: string, values: readonly MetadataValue[]): void {
    const receivedMs = this.#needs.clock.now();
    for (const value of values) this.#keep({ agentId, ...value, receivedMs });
  }

  /** Stores what waits, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
    await this.#store();
  }

  #keep(update: MetadataUpdate): void {
    const id = `${update.agentId} ${update.key}`;
    // Set anew, so that the order is that of age.
    this.#waiting.delete(id);
    this.#waiting.set(id, update);
    if (this.#waiting.size <= maxWaiting) return;
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest);
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
    const updates = [...this.#waiting.values()];
    this.#waiting = new Map();
    try {
      await updateMetadata(db, updates);
    } catch (error) {
      logger.warn({ error: errorText(error) }, "metadata not stored, trying again");
      const newer = this.#waiting;
      this.#waiting = new Map();
      for (const update of [...updates, ...newer.values()]) this.#keep(update);
      return;
    }
    for (const agentId of new Set(updates.map((update) => update.agentId))) {
      pubsub.publish(topics.agentMetadata(agentId));
    }
  }
}
