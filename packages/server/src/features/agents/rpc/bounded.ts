import { RpcError } from "@slipway/rpc";
import {
  type BoundExcess,
  boundsCheck,
  type DescMessage,
  type MessageBounds,
  type MessageShape,
  parseKnownFields,
} from "@slipway/wire";

import { agentLimits, type FieldLimit } from "./limits.ts";

const bounds: MessageBounds = Object.fromEntries(
  Object.entries<Readonly<Record<string, FieldLimit>>>(agentLimits).map(([message, fields]) => [
    message,
    Object.fromEntries(
      Object.entries(fields).flatMap(([field, limit]) =>
        limit.over === "refuse" ? [[field, limit]] : [],
      ),
    ),
  ]),
);

/**
 * Creates the parser of one kind of request: one beyond a limit is refused before it is read. `prefix` precedes the
 * text of the refusal.
 */
export function boundedParser<I extends DescMessage>(
  schema: I,
  prefix = "",
): (bytes: Uint8Array) => MessageShape<I> {
  const check = boundsCheck(schema, bounds);
  return (bytes) => {
    const excess = check(bytes);
    if (excess !== undefined) throw new RpcError(`${prefix}${excessText(excess)}`);
    return parseKnownFields(schema, bytes);
  };
}

function excessText({ path, found, max, unit }: BoundExcess): string {
  return `invalid argument: ${path === "" ? "request" : path} has ${found} ${unit}, at most ${max} are taken`;
}
