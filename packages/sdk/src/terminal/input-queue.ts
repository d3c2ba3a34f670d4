/** A text that was typed, with its number among all. */
export interface NumberedInput {
  readonly data: string;
  readonly number: number;
}

/** The most characters that wait to be typed; a person who types into a terminal that is away does not reach it. */
const maxChars = 1024 * 1024;

/** The input that is not known to have reached the terminal, in order. */
export class InputQueue {
  #inputs: NumberedInput[] = [];
  #chars = 0;
  #newest = 0;
  #sent = 0;

  /** Adds a text; undefined if there is no room. */
  add(data: string): NumberedInput | undefined {
    if (this.#chars + data.length > maxChars) return undefined;
    this.#newest += 1;
    this.#chars += data.length;
    const input = { data, number: this.#newest };
    this.#inputs.push(input);
    return input;
  }

  /** Notes that all up to a number may have reached the terminal. */
  noteSent(number: number): void {
    this.#sent = Math.max(this.#sent, number);
  }

  /** Drops all up to a number, which are typed. */
  confirm(taken: number): void {
    this.#inputs = this.#inputs.filter(({ number }) => number > taken);
    this.#chars = this.#inputs.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** Drops those that may have reached a terminal that cannot tell: nothing is typed twice. */
  dropSent(): void {
    this.confirm(this.#sent);
  }

  /** Those that are to be sent on a new connection. */
  get waiting(): readonly NumberedInput[] {
    return this.#inputs;
  }
}
