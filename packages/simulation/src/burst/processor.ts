import type { Life } from "../engine/life.ts";
import type { Scheduler } from "../engine/scheduler.ts";

interface Work {
  readonly life: Life;
  readonly ms: number;
  readonly done: () => void;
}

/**
 * The cores of a machine: each piece of work occupies one of them for its time, in the order of arrival. Work whose life
 * has ended before its turn is dropped.
 */
export class Processor {
  readonly #scheduler: Scheduler;
  readonly #waiting: Work[] = [];
  #idleCores: number;
  #next = 0;

  constructor(scheduler: Scheduler, cores: number) {
    this.#scheduler = scheduler;
    this.#idleCores = cores;
  }

  /** Resolves when the work is done; never if the life ends before. */
  run(life: Life, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        if (life.isAlive) resolve();
      };
      this.#waiting.push({ life, ms, done });
      this.#begin();
    });
  }

  #begin(): void {
    while (this.#idleCores > 0) {
      const work = this.#take();
      if (work === undefined) return;
      this.#idleCores -= 1;
      this.#scheduler.after(work.ms, () => {
        this.#idleCores += 1;
        work.done();
        this.#begin();
      });
    }
  }

  /** Takes the first work whose life has not ended. */
  #take(): Work | undefined {
    while (this.#next < this.#waiting.length) {
      const work = this.#waiting[this.#next];
      this.#next += 1;
      if (work?.life.isAlive) return work;
    }
    this.#waiting.length = 0;
    this.#next = 0;
    return undefined;
  }
}

/** The only thread of a process, which does one piece of work at a time, on a core of its machine. */
export class Thread {
  readonly #life: Life;
  readonly #processor: Processor;
  #last: Promise<void> = Promise.resolve();

  constructor(life: Life, processor: Processor) {
    this.#life = life;
    this.#processor = processor;
  }

  run(ms: number): Promise<void> {
    this.#last = this.#last.then(() => this.#processor.run(this.#life, ms));
    return this.#last;
  }
}
