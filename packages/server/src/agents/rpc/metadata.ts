import type {
  BatchUpdateMetadataRequest,
  BatchUpdateMetadataResponseSchema,
  MessageInitShape,
} from "@slipway/wire";

import { topics } from "../../pubsub/pubsub.ts";
import { RpcFailure } from "../../rpc/handler.ts";
import { type MetadataValue, updateMetadata } from "../metadata.ts";
import type { AgentRpcContext } from "./context.ts";
import { required, withoutNul } from "./fields.ts";

type Needs = Pick<AgentRpcContext, "db" | "pubsub" | "agent">;

/** Sum of the keys' lengths that one call may have, in bytes (`rpc.md` section 7.6). */
const maxKeysBytes = 6144;
/** Longest value or error, in bytes. */
const maxValueBytes = 2048;

/** Stores collected values. Values before the one that passes the limit of keys are kept, but the call fails. */
export async function batchUpdateMetadata(
  needs: Needs,
  { metadata }: BatchUpdateMetadataRequest,
): Promise<MessageInitShape<typeof BatchUpdateMetadataResponseSchema>> {
  const taken: MetadataValue[] = [];
  let keysBytes = 0;
  for (const { key, result } of metadata) {
    keysBytes += Buffer.byteLength(key);
    if (keysBytes > maxKeysBytes) break;
    const { value, error } = required(result, `result of ${JSON.stringify(key)}`);
    taken.push({ key, ...limitResult(value, error) });
  }
  await store(needs, taken);
  if (keysBytes > maxKeysBytes) {
    throw new RpcFailure(
      `keys of metadata have more than ${maxKeysBytes} bytes, discarded from the ${taken.length + 1}. on`,
    );
  }
  return {};
}

async function store(
  { db, pubsub, agent }: Needs,
  values: readonly MetadataValue[],
): Promise<void> {
  // The last of a key wins; no key of a template has a NUL.
  const newest = new Map(values.map((value) => [value.key, value]));
  const known = [...newest.values()].filter(({ key }) => !key.includes("\0"));
  if (known.length === 0) return;
  await updateMetadata(db, agent.agentId, known);
  pubsub.publish(topics.agentMetadata(agent.agentId));
}

/** Value and error as they are stored: trimmed, a long value cut with a note, a long error replaced by one. */
export function limitResult(
  value: string,
  error: string,
): { readonly value: string; readonly error: string } {
  const text = withoutNul(value.trim());
  const reason = withoutNul(error.trim());
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
  return `${what} of ${bytes} bytes exceeds the limit of ${maxValueBytes} bytes`;
}

/** The beginning of a text that fits into so many bytes, in whole characters. */
function cutToBytes(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
