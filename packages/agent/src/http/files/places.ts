import { ApiError } from "../errors.ts";

/** A number of places for work that takes long. */
export class Places {
  readonly #what: string;
  readonly #max: number;
  #taken = 0;

  constructor(what: string, max: number) {
    this.#what = what;
    this.#max = max;
  }

  /** Takes a place until the result is disposed of. Throws `ApiError` if there is none. */
  take(): Disposable {
    if (this.#taken >= this.#max) {
      throw new ApiError(429, `The agent runs at most ${this.#max} ${this.#what} at once.`);
    }
    this.#taken += 1;
    return {
      [Symbol.dispose]: () => {
        this.#taken -= 1;
      },
    };
  }
}
