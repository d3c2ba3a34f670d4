/** The latest transactions of a peer; a full memory forgets the oldest. */
export class RecentTransactions {
  readonly #max: number;
  readonly #transactions = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Adds a transaction; returns false if it is already present. */
  add(transaction: string): boolean {
    if (this.#transactions.has(transaction)) return false;
    this.#transactions.add(transaction);
    if (this.#transactions.size <= this.#max) return true;
    for (const oldest of this.#transactions) {
      this.#transactions.delete(oldest);
      break;
    }
    return true;
  }
}
