import type { Clock } from "@slipway/runtime";

import type { Output } from "../../terminal/output.ts";
import { sizeText } from "./size-text.ts";

/** The time between two updates, and that before the first. */
const updateMs = 200;
const patienceMs = 500;

/** Shows how much of a copy has moved, on a terminal only. */
export class TransferProgress implements Disposable {
  readonly #output: Output;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #sinceMs: number;
  #shownMs: number;
  #name = "";
  #done = 0;
  #moved = 0;
  #size: number | undefined;

  constructor(output: Output, clock: Pick<Clock, "monotonic">) {
    this.#output = output;
    this.#clock = clock;
    this.#sinceMs = clock.monotonic();
    this.#shownMs = this.#sinceMs + patienceMs;
  }

  /** Begins a file, of which `done` bytes were there before. */
  begin(
    name: string,
    { size, done = 0 }: { readonly size?: number; readonly done?: number },
  ): void {
    this.#name = name;
    this.#size = size;
    this.#done = done;
  }

  /** Passes chunks on and counts them. */
  async *count<T extends Uint8Array>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const chunk of chunks) {
      this.#done += chunk.length;
      this.#moved += chunk.length;
      this.#update();
      yield chunk;
    }
  }

  /** Removes what is shown. */
  end(): void {
    this.#output.status(undefined);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #update(): void {
    const now = this.#clock.monotonic();
    if (now < this.#shownMs + updateMs) return;
    this.#shownMs = now;
    const perSecond = (this.#moved / (now - this.#sinceMs)) * 1000;
    const size = this.#size;
    const share =
      size === undefined || size === 0 ? "" : ` ${Math.floor((this.#done / size) * 100)} %`;
    const text = `${this.#name}${share}  ${sizeText(this.#done)}  ${sizeText(perSecond)}/s`;
    this.#output.status(text);
  }
}
