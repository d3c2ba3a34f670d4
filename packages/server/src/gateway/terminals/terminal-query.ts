import type { openTerminal } from "@slipway/api/agents/pty-routes";
import type { Validation } from "@slipway/api/contract/api-error";
import type { QueryOf } from "@slipway/api/contract/route";
import { maxPreambleBytes, type TerminalStart } from "@slipway/wire/services/terminal-preamble";

import { Invalid } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";

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

function preambleBytes(start: TerminalStart): number {
  return Buffer.byteLength(JSON.stringify(start));
}
