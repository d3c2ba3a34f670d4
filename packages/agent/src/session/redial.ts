/** Lets another part ask for a new connection at once, whatever the present one is doing. */
export class Redial {
  #asked = new AbortController();

  /** Aborted at the next request; the one after that has a signal of its own. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  now(): void {
    const asked = this.#asked;
    this.#asked = new AbortController();
    asked.abort(new DOMException("a new connection was asked for", "AbortError"));
  }
}
