import type { Database } from "../../../platform/db/database.ts";
import { selectReinitViews } from "./queries.ts";
import type { ReinitView } from "./view.ts";

interface Looker {
  readonly tokenHash: Buffer;
  readonly resolve: (view: ReinitView) => void;
  readonly reject: (error: unknown) => void;
}

/** The most agents in one statement. */
const maxPerLook = 500;

/**
 * Batches the reads of all streams of this replica. A single read runs at once; those that arrive while a statement is
 * running share the next. So five thousand agents that reconnect together cost a few statements, and one costs no
 * delay.
 */
export class GatheredViews {
  readonly #db: Database;
  readonly #waiting: Looker[] = [];
  #isLooking = false;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Reads the state of the agent of a token; rejects when the database does not answer. */
  look(tokenHash: Buffer): Promise<ReinitView> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ tokenHash, resolve, reject });
      if (!this.#isLooking) void this.#lookAll();
    });
  }

  async #lookAll(): Promise<void> {
    this.#isLooking = true;
    try {
      while (this.#waiting.length > 0) await this.#lookOnce(this.#waiting.splice(0, maxPerLook));
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookOnce(lookers: readonly Looker[]): Promise<void> {
    try {
      const views = await selectReinitViews(
        this.#db,
        lookers.map(({ tokenHash }) => tokenHash),
      );
      for (const { tokenHash, resolve } of lookers) {
        resolve(views.get(tokenHash.toString("hex")) ?? { type: "gone" });
      }
    } catch (error) {
      for (const { reject } of lookers) reject(error);
    }
  }
}
