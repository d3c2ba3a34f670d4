import { invalidField } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/http/uuid.ts";
import type { InboxRow } from "./queries.ts";

/** The query of a list or watch, as it comes. */
export interface InboxQuery {
  readonly targets?: string | undefined;
  readonly templates?: string | undefined;
  readonly read_status?: string | undefined;
}

const readStatuses = ["", "all", "read", "unread"];

/** Returns a function that reports whether a message is asked for. Throws `Invalid` for what is no filter. */
export function readInboxFilter(query: InboxQuery): (row: InboxRow) => boolean {
  requireOneOf("read_status", query.read_status, readStatuses);
  const { read_status: status } = query;
  const targets = readIds("targets", query.targets);
  const templates = readIds("templates", query.templates);
  return (row) =>
    targets.every((id) => row.targets.includes(id)) &&
    (templates.length === 0 || templates.includes(row.template_id)) &&
    (status !== "read" || row.read_at !== null) &&
    (status !== "unread" || row.read_at === null);
}

/** Throws `Invalid` for a value that is none of the choices. */
export function requireOneOf(
  field: string,
  value: string | undefined,
  choices: readonly string[],
): void {
  if (value === undefined || choices.includes(value)) return;
  const wanted = choices.filter((choice) => choice !== "").join(", ");
  throw invalidField(field, `must be one of ${wanted}, found "${value}"`);
}

function readIds(field: string, text = ""): readonly string[] {
  const words = text.split(",").filter((word) => word !== "");
  return words.map((word) => {
    const id = readUuid(word);
    if (id === undefined) throw invalidField(field, `must be UUIDs, found "${word}"`);
    return id;
  });
}
