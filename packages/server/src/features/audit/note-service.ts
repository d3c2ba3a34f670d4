import { type Clock, errorText, type Logger, Scope } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import type { AuditEntry } from "./entry.ts";
import { insertAuditEntry } from "./insert-query.ts";

/** Occasions that are remembered; beyond it the ones noted first are forgotten, and would be noted again. */
const maxRemembered = 20_000;

/**
 * An occasion that may come again and again; it is noted once in a while. The key tells it from others, and must not hold
 * anything that a stranger can make up without end.
 */
export interface Occasion {
  readonly key: string;
  readonly onceInMs: number;
}

/**
 * Writes entries of the audit trail that belong to no change: that a secret was read, that something was refused. Each
 * replica remembers for itself what it has noted.
 */
export class AuditNotes implements AsyncDisposable {
  readonly #db: Database;
  readonly #clock: Pick<Clock, "now">;
  readonly #logger: Logger;
  readonly #writing = new Scope();
  /** When an occasion may be noted again, by its key. */
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

  /** Writes the entry and waits for it, unless the occasion was noted a short while ago. */
  async record(entry: AuditEntry, occasion?: Occasion): Promise<void> {
    if (occasion !== undefined && !this.#isDue(occasion)) return;
    try {
      await insertAuditEntry(this.#db, entry);
    } catch (error) {
      if (occasion !== undefined) this.#noted.delete(occasion.key);
      throw error;
    }
  }

  /** The same beside the answer, whose time then does not tell whether something was written. */
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
