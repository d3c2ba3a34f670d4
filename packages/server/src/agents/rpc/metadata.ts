import type {
  BatchUpdateMetadataRequest,
  BatchUpdateMetadataResponseSchema,
  MessageInitShape,
} from "@slipway/wire";

import { RpcFailure } from "../../rpc/handler.ts";
import type { MetadataValue } from "../metadata.ts";
import type { AgentRpcContext } from "./context.ts";
import { required, withoutNul } from "./fields.ts";
import { agentLimits } from "./limits.ts";

type Needs = Pick<AgentRpcContext, "metadata" | "agent">;

/** Sum of the keys' lengths that one call may have, in bytes (`rpc.md` section 7.6). */
const maxKeysBytes = 6144;
/** Longest value or error, in bytes. */
const maxValueBytes = agentLimits["coder.agent.v2.WorkspaceAgentMetadata.Result"].value.kept;

/** Takes collected values; success means that they will be stored. Values before the one that passes the limit of keys are kept, but the call fails. */
export async function batchUpdateMetadata(
  needs: Needs,
  { metadata: items }: BatchUpdateMetadataRequest,
): Promise<MessageInitShape<typeof BatchUpdateMetadataResponseSchema>> {
  const taken: MetadataValue[] = [];
  let keysBytes = 0;
  for (const { key, result } of items) {
    keysBytes += Buffer.byteLength(key);
    if (keysBytes > maxKeysBytes) break;
    const { value, error } = required(result, `result of ${JSON.stringify(key)}`);
    taken.push({ key, ...limitResult(value, error) });
  }
  put(needs, taken);
  if (keysBytes > maxKeysBytes) {
    throw new RpcFailure(
      `keys of metadata have more than ${maxKeysBytes} bytes, discarded from the ${taken.length + 1}. on`,
    );
  }
  return {};
}

function put({ metadata, agent }: Needs, values: readonly MetadataValue[]): void {
  // The last of a key wins; no key of a template has a NUL.
  const newest = new Map(values.map((value) => [value.key, value]));
  metadata.put(
    agent.agentId,
    [...newest.values()].filter(({ key }) => !key.includes("\0")),
  );
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
