import type { ContainerTarget } from "../containers/container-commands.ts";
import { type TerminalSize, terminalSize } from "../terminal/terminal-size.ts";
import { TerminalError } from "./errors.ts";
import { JsonSplitter } from "./json-splitter.ts";

/** The first message of a client (docs/protocol/agent.md §7). */
export interface TerminalInit {
  /** Names the terminal: a client with the same id gets the same terminal. */
  readonly id: string;
  /** Undefined for the default or current size. */
  readonly size: TerminalSize | undefined;
  readonly command: string;
  /** Undefined for the workspace itself. */
  readonly container: ContainerTarget | undefined;
  /** Undefined for a client that does not resume. */
  readonly viewer: ViewerPlace | undefined;
}

/** A client that can resume, and the position at which it does (docs/protocol/agent.md §7.1). */
export interface ViewerPlace {
  /** A UUID that the client chose. */
  readonly id: string;
  /** The position up to which it has received output; undefined for its first connection. */
  readonly received: number | undefined;
}

/** A later message: typed keys, or a new size. */
export interface TerminalInput {
  readonly data: string;
  readonly size: TerminalSize | undefined;
  /** The sequence number of the keys of a resumable viewer, starting at 1. */
  readonly number: number | undefined;
  /** The position up to which such a viewer has received output. */
  readonly received: number | undefined;
  /** True for a viewer that will not return. */
  readonly isBye: boolean;
}

/** The maximum length of a message after the first, such as pasted text. */
export const maxMessageBytes = 4 * 1024 * 1024;

const lengthBytes = 2;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Reads the messages of a client:
 *
 *     uint16 little-endian: length | init as JSON | messages as JSON, one after the other
 */
export class TerminalMessages {
  readonly #splitter = new JsonSplitter(maxMessageBytes);
  #head: Buffer = Buffer.alloc(0);
  #init: TerminalInit | undefined;

  /** The first message, once it has arrived. */
  get init(): TerminalInit | undefined {
    return this.#init;
  }

  /** Returns the complete messages in the bytes received so far. Throws `TerminalError`. */
  receive(chunk: Buffer): TerminalInput[] {
    if (this.#init !== undefined) return this.#inputs(chunk);
    const head = Buffer.concat([this.#head, chunk]);
    this.#head = head;
    if (head.length < lengthBytes) return [];
    const end = lengthBytes + head.readUInt16LE();
    if (head.length < end) return [];
    this.#init = parseInit(head.toString("utf8", lengthBytes, end));
    this.#head = Buffer.alloc(0);
    return this.#inputs(head.subarray(end));
  }

  #inputs(chunk: Buffer): TerminalInput[] {
    return this.#splitter.receive(chunk).map((text) => parseInput(text));
  }
}

function parseInit(text: string): TerminalInit {
  const fields = parseFields(text);
  const id = textOf(fields, "id");
  if (!uuid.test(id)) throw new TerminalError("malformed", "the id of the terminal is not a UUID");
  return {
    id: id.toLowerCase(),
    size: sizeOf(fields),
    command: textOf(fields, "command"),
    container: containerOf(fields),
    viewer: viewerOf(fields),
  };
}

function containerOf(fields: Fields): ContainerTarget | undefined {
  const container = textOf(fields, "container");
  return container === "" ? undefined : { container, user: textOf(fields, "containeruser") };
}

function viewerOf(fields: Fields): ViewerPlace | undefined {
  const id = textOf(fields, "viewer");
  if (id === "") return undefined;
  if (!uuid.test(id)) throw new TerminalError("malformed", "the id of the viewer is not a UUID");
  return { id: id.toLowerCase(), received: countOf(fields, "received") };
}

function parseInput(text: string): TerminalInput {
  const fields = parseFields(text);
  return {
    data: textOf(fields, "data"),
    size: sizeOf(fields),
    number: countOf(fields, "number"),
    received: countOf(fields, "received"),
    isBye: fields.get("bye") === true,
  };
}

type Fields = ReadonlyMap<string, unknown>;

/** Names are compared without case, as stock clients and agents do. */
function parseFields(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
    }
  } catch (error) {
    throw new TerminalError("malformed", "a message is not JSON", { cause: error });
  }
  throw new TerminalError("malformed", "message is not a JSON object");
}

function textOf(fields: Fields, name: string): string {
  const value = fields.get(name) ?? "";
  if (typeof value !== "string") throw new TerminalError("malformed", `${name} is not a text`);
  return value;
}

function sizeOf(fields: Fields): TerminalSize | undefined {
  const columns = fields.get("width") ?? 0;
  const rows = fields.get("height") ?? 0;
  if (typeof columns !== "number" || typeof rows !== "number") {
    throw new TerminalError("malformed", "a size is not a number");
  }
  return terminalSize(columns, rows);
}

function countOf(fields: Fields, name: string): number | undefined {
  const value = fields.get(name);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TerminalError("malformed", `${name} is not a count`);
}
