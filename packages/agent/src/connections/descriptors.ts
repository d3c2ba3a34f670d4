import { readFileSync } from "node:fs";

/** The open files of a process where the system does not tell its limit. */
const usualLimit = 1024;

/**
 * The descriptors that clients of the agent may have open: a quarter of what the system allows the process, and half of that
 * for one connection. The rest is for the agent's own files, sessions and network.
 */
export class DescriptorBudget {
  readonly #maxEach: number;
  #free: number;

  constructor(limit: number) {
    this.#free = Math.floor(limit / 4);
    this.#maxEach = Math.floor(this.#free / 2);
  }

  /** Returns the part of one connection, which holds nothing yet. */
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

/** The part of the budget that one connection may take. */
export interface DescriptorShare {
  /** Takes descriptors until the result is disposed of; undefined where there are not so many. */
  take(count: number): Disposable | undefined;
}

/** Returns the limit of this process, which Node.js has raised as far as it may. */
export function descriptorLimit(): number {
  try {
    const [, soft] =
      /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? usualLimit : Number(soft);
  } catch {
    return usualLimit;
  }
}
