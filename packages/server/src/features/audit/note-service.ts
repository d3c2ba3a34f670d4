import { type Clock, errorText, type Logger, Scope } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import { type AuditEntry, insertAuditEntry } from "./service.ts";

/** The maximum number of remembered occasions; beyond it the oldest are forgotten and may be recorded again. */
const maxRemembered = 20_000;

/**
 * An occasion that may recur, recorded at most once per interval. The key identifies it, and must not contain anything of
 * which a stranger can invent unlimited variants.
 */
interface Occasion {
  readonly key: string;
  readonly onceInMs: number;
}

/**
 * Writes audit entries that accompany no change: a secret was read, a request was refused. Each replica remembers only its
 * own occasions.
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

  /** Writes the entry in the background, so that the timing of the response does not reveal whether it was written. */
  recordLater(entry: AuditEntry, occasion: Occasion): void {
    this.#writing.run(async () => {
      try {
        await this.record(entry, occasion);
      } catch (error) {
        this.#logger.error({ error: errorText(error) }, "audit entry lost");
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
