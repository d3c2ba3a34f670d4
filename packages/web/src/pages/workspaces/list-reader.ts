import type { ResponseOf } from "@slipway/api/contract/route";
import type { watchWorkspaces } from "@slipway/api/workspaces/watch-routes";
import { type Clock, Wake } from "@slipway/runtime";

/** The minimum time between the beginnings of two reads of a list that changes, in milliseconds. */
export const paceMs = 1_000;

interface ListReads {
  readonly clock: Clock;
  /** Reads the list again: its rows, their order and their number. */
  readonly readList: () => Promise<void>;
  /** Reads those of some workspaces that the page has. */
  readonly readRows: (ids: readonly string[]) => Promise<void>;
}

/**
 * Decides what is read of a list that changes: after a quiet second the list, at once; sooner than that only the rows
 * that have changed, which cost little however long the list is, and the list when its second is over. The reads come
 * one after another, so that no older answer replaces a newer one.
 */
export class ListReader {
  readonly #reads: ListReads;
  readonly #wake = new Wake();
  readonly #changed = new Set<string>();
  #isListOutdated = false;

  constructor(reads: ListReads) {
    this.#reads = reads;
  }

  /** Notes a message of the stream. */
  hear({ workspaces }: ResponseOf<typeof watchWorkspaces>): void {
    for (const id of workspaces) this.#changed.add(id);
    this.#isListOutdated = true;
    this.#wake.wake();
  }

  /** Reads until the signal aborts; rejects with its reason, or with the failure of a read. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, readList, readRows } = this.#reads;
    let listAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      const now = clock.monotonic();
      if (this.#isListOutdated && listAt <= now) {
        listAt = now + paceMs;
        this.#isListOutdated = false;
        this.#changed.clear();
        await readList();
      } else if (this.#changed.size > 0) {
        const ids = [...this.#changed];
        this.#changed.clear();
        await readRows(ids);
      } else {
        const until = this.#isListOutdated ? listAt : Number.POSITIVE_INFINITY;
        await this.#wake.waitUntil(until, now, clock, signal);
      }
      signal.throwIfAborted();
    }
  }
}
