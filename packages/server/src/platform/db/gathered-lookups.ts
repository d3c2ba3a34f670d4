interface Looker<Found> {
  readonly key: string;
  readonly resolve: (found: Found | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The most keys in one statement. */
const maxPerLook = 500;

/**
 * Batches lookups by key. A single one runs at once; those that arrive while a statement is running share the next, which
 * sees everything committed before they came. So five thousand agents that reconnect together cost a few statements, and
 * one costs no delay.
 */
export class GatheredLookups<Found> {
  readonly #select: (keys: readonly string[]) => Promise<ReadonlyMap<string, Found>>;
  readonly #waiting: Looker<Found>[] = [];
  #isLooking = false;

  /** `select` finds the rows of all keys in one statement. */
  constructor(select: (keys: readonly string[]) => Promise<ReadonlyMap<string, Found>>) {
    this.#select = select;
  }

  /** Looks a key up; undefined where nothing has it. Rejects when the database does not answer. */
  look(key: string): Promise<Found | undefined> {
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

  async #lookOnce(lookers: readonly Looker<Found>[]): Promise<void> {
    try {
      const found = await this.#select([...new Set(lookers.map(({ key }) => key))]);
      for (const { key, resolve } of lookers) resolve(found.get(key));
    } catch (error) {
      for (const { reject } of lookers) reject(error);
    }
  }
}
