import { readFileSync } from "node:fs";

/** The assumed limit of open files if the system does not report it. */
const usualLimit = 1024;

/**
 * The descriptors that clients may hold: a quarter of the process's limit for all connections, and half of that for one. The
 * rest is for the agent's own files, sessions and network.
 */
export class DescriptorBudget {
  readonly #maxEach: number;
  #free: number;

  constructor(limit: number) {
    this.#free = Math.floor(limit / 4);
    this.#maxEach = Math.floor(this.#free / 2);
  }

  /** Returns the share of one connection, which holds nothing yet. */
  share(): DescriptorShare {
    let free = this.#maxEach;
    return {
      take: (count) => {
        if (count > free || count > this.#free) return undefined;
        free -= count;
        this.#free -= count;
        let isHeld = true;
        return {
          [Symbol.dispose]: () => {
            if (!isHeld) return;
            isHeld = false;
            free += count;
            this.#free += count;
          },
        };
      },
    };
  }
}

/** One connection's share of the budget. */
export interface DescriptorShare {
  /** Reserves descriptors until the result is disposed of. Returns undefined if there are not enough. */
  take(count: number): Disposable | undefined;
}

/** Returns the limit of this process, which Node.js raises as far as permitted. */
export function descriptorLimit(): number {
  try {
    const [, soft] =
      /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? usualLimit : Number(soft);
  } catch {
    return usualLimit;
  }
}
