/** Names for new rows, such as `w3`: short, to keep traces readable. */
export class Ids {
  readonly #counts = new Map<string, number>();

  next(kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return `${kind}${count}`;
  }
}
