import type { Clock } from "@slipway/runtime";

import { cleanLine } from "./clean.ts";
import type { Output } from "./output.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;
/** What is done sooner needs no progress. */
const patienceMs = 1_000;

const clearLine = "\r\u001b[2K";

/**
 * Says what is waited for, once that takes longer than a second: a spinner with the seconds below the lines on a
 * terminal, one plain line elsewhere. Whoever starts it disposes of it; lines of the meantime go through `line`.
 */
export class Progress implements Disposable {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  #text: string | undefined;
  #sinceMs: number;
  #isDrawn = false;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#sinceMs = clock.monotonic();
    void this.#run();
  }

  /** Names what is waited for from now on; undefined: nothing. */
  waitFor(text: string | undefined): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#sinceMs = this.#clock.monotonic();
    this.#erase();
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
      // Ended by `dispose` only.
      await this.#clock.sleep(frameMs, signal).catch(() => undefined);
      const waitedMs = this.#clock.monotonic() - this.#sinceMs;
      if (signal.aborted || this.#text === undefined || waitedMs < patienceMs) continue;
      if (this.#output.isTerminal) this.#draw(this.#text, frame, waitedMs);
      else if (said !== this.#text) this.#output.line(`${this.#text}…`);
      said = this.#text;
    }
  }

  #draw(text: string, frame: number, waitedMs: number): void {
    const { colors, columns } = this.#output;
    const plain = cleanLine(
      `${frames[frame % frames.length]} ${text} ${Math.floor(waitedMs / 1_000)} s`,
    );
    // A spinner that wraps could not be erased.
    const cut = plain.slice(0, Math.max(0, (columns ?? 80) - 1));
    this.#output.write(`${clearLine}${colors.dim(cut)}`);
    this.#isDrawn = true;
  }

  #erase(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.#output.write(clearLine);
  }
}
