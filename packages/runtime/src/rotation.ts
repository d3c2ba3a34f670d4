/** The decision about an owner's next item: to take it, to let the owner wait, or to let all owners wait that are left. */
export type Turn = "take" | "wait" | "stop";

/** Items that wait, and whose owners take turns: one with many items delays each other owner by one of them at a time. */
export class Rotation<T> {
  /** The items of each owner, in the order of their arrival; the owners in the order of their turns. */
  readonly #waiting = new Map<string, Set<T>>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Returns the owners of the items, in the order of their turns. */
  owners(): Iterable<string> {
    return this.#waiting.keys();
  }

  add(owner: string, item: T): void {
    const items = this.#waiting.get(owner);
    if (items === undefined) this.#waiting.set(owner, new Set([item]));
    else items.add(item);
  }

  /** Removes an item, if it still waits. */
  remove(owner: string, item: T): void {
    const items = this.#waiting.get(owner);
    items?.delete(item);
    if (items?.size === 0) this.#waiting.delete(owner);
  }

  /** Takes items, one of each owner in turn and then again, as `decide` says, and passes each to `use`. */
  take(decide: (owner: string) => Turn, use: (item: T) => void): void {
    for (const [owner, items] of this.#waiting) {
      const turn = decide(owner);
      if (turn === "stop") return;
      if (turn === "wait") continue;
      // The loop reaches an owner with more items again, after all others.
      this.#waiting.delete(owner);
      const first = items.values().next();
      if (first.done === true) continue;
      items.delete(first.value);
      if (items.size > 0) this.#waiting.set(owner, items);
      use(first.value);
    }
  }
}
