import type { Clock } from "@slipway/runtime";

import type { Output } from "./output.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;
/** The delay before progress is shown. */
const patienceMs = 1_000;

/**
 * Shows the current wait once it takes longer than a second: on a terminal, a spinner with the seconds below the
 * lines; elsewhere, one plain line. The caller disposes of it, and prints lines meanwhile through `line`.
 */
export class Progress implements Disposable {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  #text: string | undefined;
  #count = "";
  #sinceMs: number;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#sinceMs = clock.monotonic();
    void this.#run();
  }

  /** Sets the text for the current wait; undefined for none. */
  waitFor(text: string | undefined): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#count = "";
    this.#sinceMs = this.#clock.monotonic();
    this.#erase();
  }

  /** Sets how much of the current wait is done, which a terminal shows. */
  advance(done: number, total: number): void {
    this.#count = ` ${done}/${total}`;
  }

  /** Writes a line above the spinner. */
  line(text: string): void {
    this.#erase();
    this.#output.line(text);
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    this.#erase();
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    let said: string | undefined;
    for (let frame = 0; !signal.aborted; frame += 1) {
      // Only disposal ends the sleep early.
      await this.#clock.sleep(frameMs, signal).catch(() => undefined);
      const waitedMs = this.#clock.monotonic() - this.#sinceMs;
      if (signal.aborted || this.#text === undefined || waitedMs < patienceMs) continue;
      if (this.#output.isTerminal) this.#draw(this.#text, frame, waitedMs);
      else if (said !== this.#text) this.#output.line(`${this.#text}…`);
      said = this.#text;
    }
  }

  #draw(text: string, frame: number, waitedMs: number): void {
    const seconds = Math.floor(waitedMs / 1_000);
    this.#output.status(`${frames[frame % frames.length]} ${text}${this.#count} ${seconds} s`);
  }

  #erase(): void {
    this.#output.status(undefined);
  }
}
