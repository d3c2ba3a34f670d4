import { Wake } from "@slipway/runtime";

import type { MetadataValue } from "./metadata-item.ts";

/** The sum of the keys of one report; a server refuses anything beyond (docs/protocol/rpc.md §7.6). */
const maxKeyBytes = 6144;
/** The sum of the values of one report; a message ends at 4 MiB. */
const maxValueBytes = 1024 * 1024;

/** Values that were collected and not yet reported; only the newest of each key. */
export class MetadataOutbox {
  readonly #values = new Map<string, MetadataValue>();
  readonly changed = new Wake();

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  put(value: MetadataValue): void {
    // A key that is seen again goes to the end, so that none starves.
    this.#values.delete(value.key);
    this.#values.set(value.key, value);
    this.changed.wake();
  }

  /** Takes as many values as one report may hold. */
  take(): MetadataValue[] {
    const taken: MetadataValue[] = [];
    let keyBytes = 0;
    let valueBytes = 0;
    for (const value of this.#values.values()) {
      keyBytes += Buffer.byteLength(value.key);
      valueBytes += Buffer.byteLength(value.value) + Buffer.byteLength(value.error);
      if (taken.length > 0 && (keyBytes > maxKeyBytes || valueBytes > maxValueBytes)) break;
      taken.push(value);
      this.#values.delete(value.key);
    }
    return taken;
  }
}
