/** One event of a stream of server-sent events. `type` is "message" if the server gave none. */
export interface SseEvent {
  readonly type: string;
  /** Its data lines, joined by line ends. */
  readonly data: string;
}

/** A stream that exceeds a limit. */
export class SseError extends Error {
  override readonly name = "SseError";
  readonly code = "bad-event-stream";
}

/** The default for the maximum number of characters of one line, and of all data of one event. */
export const maxSseChars = 64 * 1024;

/**
 * Reads server-sent events from pieces of text that end anywhere: lines may end with LF, CR or CRLF, data may have any
 * number of lines; comments, ids, retry times and unknown fields are skipped. An event that the stream cuts off in
 * the middle is dropped.
 */
export class SseParser {
  readonly #maxChars: number;
  #rest = "";
  #isFirst = true;
  #skipsLineFeed = false;
  #type = "";
  #data: string[] = [];
  #dataChars = 0;

  /** `maxChars`: the maximum number of characters of one line, and of all data of one event. */
  constructor(maxChars: number = maxSseChars) {
    this.#maxChars = maxChars;
  }

  /** Takes a piece and returns the events that it completes. Throws `SseError`. */
  push(piece: string): SseEvent[] {
    let text = this.#rest + piece;
    if (this.#isFirst && text !== "") {
      this.#isFirst = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    const events: SseEvent[] = [];
    let start = 0;
    for (let index = this.#rest.length; index < text.length; index += 1) {
      const sign = text[index];
      const wasReturn = this.#skipsLineFeed;
      this.#skipsLineFeed = sign === "\r";
      if (sign === "\n" && wasReturn) start = index + 1;
      else if (sign === "\n" || sign === "\r") {
        const event = this.#line(text.slice(start, index));
        if (event !== undefined) events.push(event);
        start = index + 1;
      }
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > this.#maxChars) throw this.#tooLong("line", this.#rest.length);
    return events;
  }

  #line(line: string): SseEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#type = value;
    else if (field === "data") {
      this.#dataChars += value.length + 1;
      if (this.#dataChars > this.#maxChars) throw this.#tooLong("event", this.#dataChars);
      this.#data.push(value);
    }
    return undefined;
  }

  /** Ends an event. One without data counts if it has a type: servers send pings in this form. */
  #dispatch(): SseEvent | undefined {
    const event = { type: this.#type || "message", data: this.#data.join("\n") };
    const isEmpty = this.#type === "" && this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    this.#dataChars = 0;
    return isEmpty ? undefined : event;
  }

  #tooLong(what: string, chars: number): SseError {
    return new SseError(
      `${what} has ${chars} characters or more, at most ${this.#maxChars} are taken`,
    );
  }
}
