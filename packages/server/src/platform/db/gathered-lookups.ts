interface PendingLookup<Row> {
  readonly key: string;
  readonly resolve: (found: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The maximum number of keys in one statement. */
const maxPerLook = 500;

/**
 * Batches lookups by key. A single one runs immediately; those that arrive while a statement is running share the next,
 * which sees everything committed before they arrived. Five thousand agents that reconnect together thus cost a few
 * statements, and a single agent is not delayed.
 */
export class GatheredLookups<Row> {
  readonly #select: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>;
  readonly #waiting: PendingLookup<Row>[] = [];
  #isLooking = false;

  /** `select` finds the rows of all keys in one statement. */
  constructor(select: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>) {
    this.#select = select;
  }

  /** Looks up a key; resolves to undefined if no row has it. Rejects if the database does not answer. */
  look(key: string): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
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

  async #lookOnce(lookups: readonly PendingLookup<Row>[]): Promise<void> {
    try {
      const found = await this.#select([...new Set(lookups.map(({ key }) => key))]);
      for (const { key, resolve } of lookups) resolve(found.get(key));
    } catch (error) {
      for (const { reject } of lookups) reject(error);
    }
  }
}
