/** The limits on operations that clients request and that may never end. */
export interface FairTurnsOptions {
  /** The name for the error. */
  readonly what: string;
  /** The maximum number of concurrent operations, of all owners and of one. */
  readonly max: number;
  readonly maxEach: number;
  /** The maximum number of waiting operations of one owner; a further one fails immediately. */
  readonly maxWaitingEach: number;
  /** The longest wait for a turn, in milliseconds. */
  readonly waitMs: number;
}

interface Waiting {
  readonly owner: object;
  readonly begin: () => void;
}

/**
 * Limits operations that occupy a thread of Node.js, which has four for all files and names: an operation may never
 * end, for example on a file system that does not answer.
 */
export class FairTurns {
  readonly #options: FairTurnsOptions;
  readonly #busyOf = new Map<object, number>();
  /** In order of arrival: the first whose owner has less than its share is next. */
  readonly #waiting = new Set<Waiting>();
  readonly #waitingOf = new Map<object, number>();
  #busy = 0;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
  }

  /** Runs an operation when it is its owner's turn. Rejects with `BusyError`, and with the errors of the operation. */
  async run<T>(owner: object, operation: () => Promise<T>): Promise<T> {
    return this.#run(owner, operation, this.#options.waitMs);
  }

  /** Like `run`, but waits without a limit: for resources that must be closed. */
  async runPatiently<T>(owner: object, operation: () => Promise<T>): Promise<T> {
    return this.#run(owner, operation, undefined);
  }

  async #run<T>(
    owner: object,
    operation: () => Promise<T>,
    waitMs: number | undefined,
  ): Promise<T> {
    if (this.#hasRoom(owner)) this.#begin(owner);
    else await this.#turn(owner, waitMs);
    try {
      return await operation();
    } finally {
      this.#end(owner);
    }
  }

  #hasRoom(owner: object): boolean {
    const { max, maxEach } = this.#options;
    return this.#busy < max && (this.#busyOf.get(owner) ?? 0) < maxEach;
  }

  #begin(owner: object): void {
    this.#busy += 1;
    add(this.#busyOf, owner, 1);
  }

  #end(owner: object): void {
    this.#busy -= 1;
    add(this.#busyOf, owner, -1);
    this.#waiting
      .values()
      .find((one) => this.#hasRoom(one.owner))
      ?.begin();
  }

  #turn(owner: object, waitMs: number | undefined): Promise<void> {
    const { what, maxWaitingEach } = this.#options;
    const isFull = (this.#waitingOf.get(owner) ?? 0) >= maxWaitingEach;
    if (waitMs !== undefined && isFull) throw new BusyError(what, "too many requests wait");
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(deadline);
        this.#waiting.delete(waiting);
        add(this.#waitingOf, owner, -1);
      };
      const waiting: Waiting = {
        owner,
        begin: () => {
          leave();
          this.#begin(owner);
          resolve();
        },
      };
      const giveUp = (after: number): void => {
        leave();
        reject(new BusyError(what, `no turn within ${after / 1000} s`));
      };
      const deadline = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs, waitMs);
      this.#waiting.add(waiting);
      add(this.#waitingOf, owner, 1);
    });
  }
}

/** Too many operations on files, or name lookups, have not ended. */
class BusyError extends Error {
  override readonly name = "BusyError";
  readonly code = "busy";

  constructor(what: string, reason: string) {
    super(`${what} are busy: ${reason}`);
  }
}

/** Changes an owner's count, and forgets the owner at zero. */
function add(counts: Map<object, number>, owner: object, change: number): void {
  const count = (counts.get(owner) ?? 0) + change;
  if (count === 0) counts.delete(owner);
  else counts.set(owner, count);
}

/** The turns for files: one thread is left for the agent's own files and for names. */
export const fileTurns = new FairTurns({
  what: "files",
  max: 3,
  maxEach: 1,
  maxWaitingEach: 256,
  waitMs: 10_000,
});

/** The turns for name lookups, for which Node.js uses half of the threads. */
export const nameTurns = new FairTurns({
  what: "names",
  max: 2,
  maxEach: 1,
  maxWaitingEach: 64,
  waitMs: 10_000,
});

/**
 * Spreads floods of work over turns of the event loop, one piece per turn, so that everything else is served in
 * between.
 */
export class LoopTurns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a later turn of the event loop, one caller per turn. */
  next(): Promise<void> {
    this.#last = this.#last.then(
      () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        }),
    );
    return this.#last;
  }
}

/** The turns of this process's event loop. */
export const loopTurns = new LoopTurns();
