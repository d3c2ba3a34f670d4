import { nilUuid } from "@slipway/api/contract/nil-uuid";
/**
 * A server's notice that the workspace of this agent has a new owner (docs/protocol/rest.md §2.2). It may come more
 * than once.
 */
export interface ReinitEvent {
  /** Undefined if the server did not send it. */
  readonly workspaceId: string | undefined;
  /** The new owner; undefined with servers that do not send it. */
  readonly ownerId: string | undefined;
  /** Empty if the server gave none. */
  readonly reason: string;
}

const claimed = "prebuild_claimed";

/**
 * Reads the data of an event, in both forms that servers send (docs/protocol/prebuilds.md §3.2) or as the bare reason
 * of the oldest notifications. Undefined for anything else. An object without the fields counts: some servers pass on
 * any published text, and the manifest has the rest.
 */
export function readReinitEvent(data: string): ReinitEvent | undefined {
  if (data === claimed) return { workspaceId: undefined, ownerId: undefined, reason: claimed };
  const fields = parseFields(data);
  if (fields === undefined) return undefined;
  return {
    workspaceId: readId(fields["workspace_id"] ?? fields["WorkspaceID"]),
    ownerId: readId(fields["owner_id"]),
    reason: typeof fields["reason"] === "string" ? fields["reason"] : "",
  };
}

function parseFields(data: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(data);
    if (parsed === null) return {};
    return typeof parsed === "object" && !Array.isArray(parsed) ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

function readId(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== nilUuid ? value : undefined;
}
