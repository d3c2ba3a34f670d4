/** A text that was typed, with its sequence number. */
export interface NumberedInput {
  readonly data: string;
  readonly number: number;
}

/** The maximum number of waiting characters; a person who types into an unreachable terminal does not reach it. */
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

  /** Records that all inputs up to a number may have reached the terminal. */
  noteSent(number: number): void {
    this.#sent = Math.max(this.#sent, number);
  }

  /** Drops all inputs up to a number, which the terminal has received. */
  confirm(taken: number): void {
    this.#inputs = this.#inputs.filter(({ number }) => number > taken);
    this.#chars = this.#inputs.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** Drops the inputs that may have reached a terminal that does not confirm them, so that nothing is typed twice. */
  dropSent(): void {
    this.confirm(this.#sent);
  }

  /** The inputs to send on a new connection. */
  get waiting(): readonly NumberedInput[] {
    return this.#inputs;
  }
}
