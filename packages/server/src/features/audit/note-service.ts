import { type Clock, errorText, type Logger, Scope } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import type { AuditEntry } from "./entry.ts";
import { insertAuditEntry } from "./insert-query.ts";

/** The most occasions remembered; beyond it the oldest are forgotten, and would be recorded again. */
const maxRemembered = 20_000;

/**
 * An occasion that may recur; it is recorded once in a while. The key identifies it, and must not contain anything that
 * a stranger can invent without end.
 */
export interface Occasion {
  readonly key: string;
  readonly onceInMs: number;
}

/**
 * Writes audit entries that belong to no change, such as that a secret was read or something was refused. Each replica
 * remembers only its own.
 */
export class AuditNotes implements AsyncDisposable {
  readonly #db: Database;
  readonly #clock: Pick<Clock, "now">;
  readonly #logger: Logger;
  readonly #writing = new Scope();
  /** The time from which an occasion may be recorded again, by its key. */
  readonly #noted = new Map<string, number>();

  constructor({
    db,
    clock,
    logger,
  }: {
    readonly db: Database;
    readonly clock: Pick<Clock, "now">;
    readonly logger: Logger;
  }) {
    this.#db = db;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Writes the entry and waits for it, unless the occasion was recorded a short while ago. */
  async record(entry: AuditEntry, occasion?: Occasion): Promise<void> {
    if (occasion !== undefined && !this.#isDue(occasion)) return;
    try {
      await insertAuditEntry(this.#db, entry);
    } catch (error) {
      if (occasion !== undefined) this.#noted.delete(occasion.key);
      throw error;
    }
  }

  /** Writes it without delaying the response, whose timing then does not reveal whether something was written. */
  recordLater(entry: AuditEntry, occasion: Occasion): void {
    this.#writing.run(async () => {
      try {
        await this.record(entry, occasion);
      } catch (error) {
        this.#logger.error({ error: errorText(error) }, "an entry of the audit trail was lost");
      }
    });
  }

  #isDue({ key, onceInMs }: Occasion): boolean {
    const now = this.#clock.now();
    if ((this.#noted.get(key) ?? 0) > now) return false;
    this.#noted.delete(key);
    this.#noted.set(key, now + onceInMs);
    if (this.#noted.size > maxRemembered) {
      const [oldest] = this.#noted.keys();
      if (oldest !== undefined) this.#noted.delete(oldest);
    }
    return true;
  }

  /** Waits until everything is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.join();
    await this.#writing.close();
  }
}
