import { RpcError } from "@slipway/rpc";
import { countText } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  BatchUpdateMetadataRequest,
  BatchUpdateMetadataResponseSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";

import type { Database } from "../../../platform/db/database.ts";
import { storableText } from "../../../platform/fields/storable-text.ts";
import { required } from "../calls/fields.ts";
import { agentLimits } from "../calls/limits.ts";
import type { RpcCaller } from "../calls/rpc-caller.ts";
import type { MetadataSink, MetadataValue } from "./metadata-batcher.ts";

export interface MetadataNeeds {
  readonly db: Database;
  readonly metadata: MetadataSink;
}

type Caller = Pick<RpcCaller, "agent">;

/** The limit of the sum of the keys' lengths in one call, in bytes (docs/protocol/rpc.md §7.6). */
const maxKeysBytes = 6144;
/** The maximum size of a value or error, in bytes. */
const maxValueBytes = agentLimits["coder.agent.v2.WorkspaceAgentMetadata.Result"].value.kept;

/** The keys of agents by session; a session that reads its manifest gets them from there. */
const keysOf = new WeakMap<object, ReadonlySet<string>>();

/** Remembers the keys of a session's agent. */
export function noteMetadataKeys(caller: object, keys: readonly string[]): void {
  keysOf.set(caller, new Set(keys));
}

/**
 * Accepts collected values; success means that they will be stored. Values before the one that exceeds the limit of
 * keys are kept, but the call fails.
 */
export async function batchUpdateMetadata(
  { db, metadata }: MetadataNeeds,
  caller: Caller,
  { metadata: items }: BatchUpdateMetadataRequest,
): Promise<MessageInitShape<typeof BatchUpdateMetadataResponseSchema>> {
  const keys = keysOf.get(caller) ?? (await readKeys(db, caller));
  // The last value of a key wins; one of an unknown key is accepted and not stored.
  const taken = new Map<string, MetadataValue>();
  let keysBytes = 0;
  for (const [index, { key, result }] of items.entries()) {
    keysBytes += Buffer.byteLength(key);
    if (keysBytes > maxKeysBytes) {
      put(metadata, caller, taken);
      throw new RpcError(
        `keys of metadata have more than ${maxKeysBytes} bytes, discarded from the ${index + 1}. on`,
      );
    }
    const { value, error } = required(result, `result of ${JSON.stringify(key)}`);
    if (keys.has(key)) taken.set(key, { key, ...limitResult(value, error) });
  }
  put(metadata, caller, taken);
  return {};
}

/** Reads the keys that the build gave a session's agent, which never change. */
async function readKeys(db: Database, caller: Caller): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("workspace_agent_metadata")
    .where("workspace_agent_id", "=", caller.agent.agentId)
    .select("key")
    .execute();
  const keys = new Set(rows.map(({ key }) => key));
  keysOf.set(caller, keys);
  return keys;
}

function put(
  sink: MetadataSink,
  { agent }: Caller,
  values: ReadonlyMap<string, MetadataValue>,
): void {
  if (values.size > 0) sink.put(agent.agentId, [...values.values()]);
}

/** Returns value and error as they are stored: trimmed, a long value cut with a note, a long error replaced by one. */
export function limitResult(
  value: string,
  error: string,
): { readonly value: string; readonly error: string } {
  const text = storableText(value.trim());
  const reason = storableText(error.trim());
  const valueBytes = Buffer.byteLength(text);
  if (valueBytes > maxValueBytes) {
    return { value: cutToBytes(text, maxValueBytes), error: sizeNote("value", valueBytes) };
  }
  const errorBytes = Buffer.byteLength(reason);
  return {
    value: text,
    error: errorBytes > maxValueBytes ? sizeNote("error", errorBytes) : reason,
  };
}

function sizeNote(what: string, bytes: number): string {
  return `${what} of ${countText(bytes, "byte")} exceeds the limit of ${maxValueBytes} bytes`;
}

/** Returns the longest prefix of a text that fits into `maxBytes`, in whole characters. */
function cutToBytes(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
