import type { Holder } from "./holder.ts";

export interface Row {
  readonly id: string;
}

/** Returns a row's name, unique across all tables. */
export function rowKey(table: { readonly name: string }, id: string): string {
  return `${table.name}/${id}`;
}

/** The effect of a commit on a row; `before` is undefined for a new one. */
export interface Change<R extends Row> {
  readonly before: R | undefined;
  readonly after: R;
}

/**
 * Rows of one kind: the committed ones, and the writes of open transactions, which only those transactions see.
 * Nothing is ever removed.
 */
export class Table<R extends Row> {
  readonly name: string;
  readonly #keys: { of(row: R): readonly string[] };
  readonly #committed = new Map<string, R>();
  /** The committed rows in commit order; undefined until they are read after a commit. */
  #rows: readonly R[] | undefined;
  readonly #written = new Map<Holder, Map<string, R>>();
  #changes: readonly Change<R>[] = [];

  constructor(name: string, uniqueKeys: (row: R) => readonly string[] = () => []) {
    this.name = name;
    this.#keys = { of: uniqueKeys };
  }

  /** The changes of the newest commit. */
  get changes(): readonly Change<R>[] {
    return this.#changes;
  }

  /** Returns the values of a row that must be unique. */
  uniqueKeys(row: R): readonly string[] {
    return this.#keys.of(row);
  }

  get(id: string, reader?: Holder): R | undefined {
    const own = reader === undefined ? undefined : this.#written.get(reader)?.get(id);
    return own ?? this.#committed.get(id);
  }

  /** Lists the rows in commit order; a transaction's own new rows come last. */
  all(reader?: Holder): readonly R[] {
    const own = reader === undefined ? undefined : this.#written.get(reader);
    if (own === undefined) return (this.#rows ??= [...this.#committed.values()]);
    return [...new Map([...this.#committed, ...own]).values()];
  }

  write(row: R, writer: Holder): void {
    const own = this.#written.get(writer);
    if (own === undefined) this.#written.set(writer, new Map([[row.id, row]]));
    else own.set(row.id, row);
  }

  /** Makes the writes of a transaction visible to all readers. */
  commit(writer: Holder): void {
    const changes: Change<R>[] = [];
    for (const [id, after] of this.#written.get(writer) ?? []) {
      changes.push({ before: this.#committed.get(id), after });
      this.#committed.set(id, after);
    }
    this.#changes = changes;
    if (changes.length > 0) this.#rows = undefined;
    this.#written.delete(writer);
  }

  rollBack(writer: Holder): void {
    this.#written.delete(writer);
  }
}
