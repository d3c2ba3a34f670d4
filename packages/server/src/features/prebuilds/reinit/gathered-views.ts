import type { Database } from "../../../platform/db/database.ts";
import { GatheredLookups } from "../../../platform/db/gathered-lookups.ts";
import { selectReinitViews } from "./queries.ts";
import type { ReinitView } from "./view.ts";

/** Reads the states of agents by their tokens, for all streams of this replica together. */
export class GatheredViews {
  readonly #lookups: GatheredLookups<ReinitView>;

  constructor(db: Database) {
    this.#lookups = new GatheredLookups((hashes) =>
      selectReinitViews(
        db,
        hashes.map((hash) => Buffer.from(hash, "hex")),
      ),
    );
  }

  /** Reads the state of the agent of a token; rejects when the database does not answer. */
  async look(tokenHash: Buffer): Promise<ReinitView> {
    return (await this.#lookups.look(tokenHash.toString("hex"))) ?? { type: "gone" };
  }
}
