import type { openTerminal } from "@slipway/api/agents/pty-routes";
import type { Validation } from "@slipway/api/contract/api-error";
import type { QueryOf } from "@slipway/api/contract/route";

import { Invalid } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";

/** The terminal that a viewer asks for, with the names of the agent's protocol (docs/protocol/rest.md §6.10). */
export interface TerminalStart {
  /** The id of the terminal: a viewer that gives it again gets the same one. */
  readonly ID: string;
  readonly Height: number;
  readonly Width: number;
  readonly Command: string;
  readonly Container: string;
  readonly ContainerUser: string;
  readonly BackendType: string;
  /** The id of a viewer that resumes, and the position where it continues (docs/protocol/agent.md §7.1). */
  readonly Viewer: string | undefined;
  readonly Received: number | undefined;
}

type TerminalQuery = QueryOf<typeof openTerminal>;

const defaultSize = 80;
/** The modulus of sizes, which the agent reads in 16 bits. */
const sizeModulus = 65_536;
const backends: ReadonlySet<string> = new Set(["", "screen", "buffered"]);

/** Reads the query, with the texts and the order of docs/protocol/rest.md §6.10. Throws `Invalid`. */
export function readTerminalQuery(query: TerminalQuery): TerminalStart {
  const validations: Validation[] = [];
  const refuse = (field: string, wanted: string): void => {
    validations.push({ field, detail: `Query param "${field}" ${wanted}` });
  };
  const size = (field: "height" | "width"): number => {
    const text = query[field] ?? "";
    if (!/^\d{0,9}$/.test(text)) refuse(field, "must be a valid integer");
    return text === "" ? defaultSize : Number(text) % sizeModulus;
  };
  const { reconnect = "", backend_type: backend = "" } = query;
  const id = readUuid(reconnect);
  if (reconnect === "") refuse("reconnect", "is required and cannot be empty");
  else if (id === undefined) refuse("reconnect", "must be a valid uuid");
  const [height, width] = [size("height"), size("width")];
  if (!backends.has(backend)) refuse("backend_type", 'must be "screen" or "buffered"');
  const viewer = query.viewer === undefined ? undefined : readUuid(query.viewer);
  if (query.viewer !== undefined && viewer === undefined) refuse("viewer", "must be a valid uuid");
  const received = query.received === undefined ? undefined : Number(query.received);
  if (!isPosition(query.received)) refuse("received", "must be a valid integer");
  const start = {
    ID: id ?? "",
    Height: height,
    Width: width,
    Command: query.command ?? "",
    Container: query.container ?? "",
    ContainerUser: query.container_user ?? "",
    BackendType: backend,
    Viewer: viewer,
    Received: received,
  };
  if (preambleBytes(start) > maxPreambleBytes) refuse("command", "is too long");
  if (validations.length > 0) throw new Invalid("Invalid query parameters.", { validations });
  return start;
}

function isPosition(text: string | undefined): boolean {
  return text === undefined || (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)));
}

/** The maximum size of the first message, whose length has 16 bits. */
const maxPreambleBytes = 65_535;
const lengthBytes = 2;

function preambleBytes(start: TerminalStart): number {
  return Buffer.byteLength(JSON.stringify(start));
}

/**
 * Encodes the first message to the agent (docs/protocol/rest.md §6.10):
 *
 *     uint16 little-endian: length | JSON
 */
export function encodePreamble(start: TerminalStart): Buffer {
  const json = Buffer.from(JSON.stringify(start));
  const bytes = Buffer.alloc(lengthBytes + json.length);
  bytes.writeUInt16LE(json.length);
  json.copy(bytes, lengthBytes);
  return bytes;
}
