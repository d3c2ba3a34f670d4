/** The names that both worlds use, and the ids for them in one world. */
export class Names {
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  has(id: string): boolean {
    return this.#names.has(id);
  }

  add(id: string, name: string): void {
    this.#names.set(id, name);
    this.#ids.set(name, id);
  }

  name(id: string): string {
    return found(this.#names.get(id), id);
  }

  id(name: string): string {
    return found(this.#ids.get(name), name);
  }

  /** Returns the next number of a kind, from 1. */
  next(kind: string): number {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return count;
  }
}

function found(value: string | undefined, key: string): string {
  if (value === undefined) throw new Error(`unknown name ${key}`);
  return value;
}
