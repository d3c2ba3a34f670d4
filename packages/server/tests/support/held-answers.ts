import type { KyselyPlugin } from "kysely";

/** Holds back the results of statements after the database has returned them. */
export class HeldAnswers implements KyselyPlugin {
  readonly #held: (() => void)[] = [];
  #isHolding = true;
  /** The number of statements answered, or awaited. */
  total = 0;

  readonly transformQuery: KyselyPlugin["transformQuery"] = ({ node }) => node;

  readonly transformResult: KyselyPlugin["transformResult"] = async ({ result }) => {
    this.total += 1;
    if (this.#isHolding) await new Promise<void>((resolve) => this.#held.push(resolve));
    return result;
  };

  get count(): number {
    return this.#held.length;
  }

  release(): void {
    this.#isHolding = false;
    for (const resolve of this.#held.splice(0)) resolve();
  }
}
