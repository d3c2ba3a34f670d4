/** Counts the calls of each user that are under way on this server. */
export class McpCalls {
  readonly #max: number;
  readonly #byUser = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place until the result is disposed of, once; undefined if the user has all of theirs. */
  take(userId: string): Disposable | undefined {
    const others = this.#byUser.get(userId) ?? 0;
    if (others >= this.#max) return undefined;
    this.#byUser.set(userId, others + 1);
    return { [Symbol.dispose]: () => this.#giveBack(userId) };
  }

  #giveBack(userId: string): void {
    const others = (this.#byUser.get(userId) ?? 0) - 1;
    if (others > 0) this.#byUser.set(userId, others);
    else this.#byUser.delete(userId);
  }
}
