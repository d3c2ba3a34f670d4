/**
 * Joins lines to JSON objects. Docker prints an object a line. Podman prints a list whose objects are spread over lines, and
 * begin and end with a brace of the same indentation. Anything else is passed on as it is, for the parser to refuse.
 */
export class ObjectLines {
  readonly #maxLength: number;
  readonly #onObject: (json: string) => void;
  #lines: string[] = [];
  #length = 0;
  #indentation = "";

  /** In place of a longer object, an empty text is passed on. */
  constructor(maxLength: number, onObject: (json: string) => void) {
    this.#maxLength = maxLength;
    this.#onObject = onObject;
  }

  take(line: string): void {
    if (this.#lines.length === 0) this.#begin(line);
    else this.#add(line);
  }

  #begin(line: string): void {
    const text = line.trim();
    if (text === "{") {
      this.#indentation = line.slice(0, line.indexOf("{"));
      this.#lines = [text];
    } else if (text !== "" && text !== "[" && text !== "]" && text !== "[]") {
      this.#onObject(line);
    }
  }

  #add(line: string): void {
    const isEnd = line === `${this.#indentation}}` || line === `${this.#indentation}},`;
    this.#length += line.length;
    if (isEnd || this.#length <= this.#maxLength) this.#lines.push(isEnd ? "}" : line);
    if (!isEnd) return;
    const isWhole = this.#length <= this.#maxLength;
    const json = this.#lines.join("\n");
    this.#lines = [];
    this.#length = 0;
    this.#onObject(isWhole ? json : "");
  }
}
