import { countText } from "@slipway/runtime";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import type { CoordinateRequest, Node } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

import { nodeKeys } from "./node-key.ts";
import type { PublishedNode } from "./peer-directory.ts";

/** A request of a peer with its ids read, before it is authorized. */
export interface PeerRequest {
  readonly node: Node | undefined;
  readonly addTunnel: string | undefined;
  readonly removeTunnel: string | undefined;
  readonly isDisconnect: boolean;
  /** The peers for whose handshakes it is ready. */
  readonly readyFor: readonly string[];
}

/** The maximum number of peers named in one request; a peer knows of others only through us. */
const maxHandshakes = 1024;
/** The maximum size of a stored node, in bytes; stock peers send about 1 KiB. */
const maxNodeBytes = 16 * 1024;
/** The length at which the reason for a WebSocket is cut: it may hold the page of a proxy. */
const maxReasonLength = 256;

const uuidBytes = 16;
const nilUuid = "00000000-0000-0000-0000-000000000000";

/** Reads a request; returns the reason to refuse it as a whole instead, if it is malformed. */
export function readRequest(request: CoordinateRequest): PeerRequest | string {
  const { updateSelf, addTunnel, removeTunnel, readyForHandshake } = request;
  if (updateSelf !== undefined && updateSelf.node === undefined) {
    return "authorization: update_self has no node";
  }
  if (readyForHandshake.length > maxHandshakes) {
    return `ready_for_handshake has ${readyForHandshake.length} ids, at most ${maxHandshakes} are taken`;
  }
  const malformed = readyForHandshake.find(({ id }) => id.length !== uuidBytes);
  if (malformed !== undefined)
    return `unable to convert bytes to UUID: ${lengthText(malformed.id)}`;
  for (const [what, tunnel] of [
    ["authorization: parse add tunnel id", addTunnel],
    ["unable to convert bytes to UUID", removeTunnel],
  ] as const) {
    if (tunnel === undefined) continue;
    if (tunnel.id.length !== uuidBytes) return `${what}: ${lengthText(tunnel.id)}`;
    if (parseUuid(tunnel.id) === nilUuid) return `${what}: nil UUID`;
  }
  return {
    node: updateSelf?.node,
    addTunnel: addTunnel && parseUuid(addTunnel.id),
    removeTunnel: removeTunnel && parseUuid(removeTunnel.id),
    isDisconnect: request.disconnect !== undefined,
    readyFor: [...new Set(readyForHandshake.map(({ id }) => parseUuid(id)))],
  };
}

/** Returns a node as it is stored, or the reason to refuse it. */
export function publishedNode(node: Node): Omit<PublishedNode, "latency"> | string {
  const derpForcedWebsocket = Object.fromEntries(
    Object.entries(node.derpForcedWebsocket).map(([region, reason]) => [
      region,
      reason.slice(0, maxReasonLength),
    ]),
  );
  const bytes = encodeMessage(NodeSchema, { ...node, derpForcedWebsocket });
  if (bytes.length > maxNodeBytes) {
    return `the node has ${countText(bytes.length, "byte")}, at most ${maxNodeBytes} are taken`;
  }
  return { bytes, reserved: nodeKeys(node) };
}

/** Returns whether two nodes are the same except for the time at which they were made. */
export function isSameNode(one: Node, other: Node): boolean {
  const [first, second] = [one, other].map((node) =>
    Buffer.from(encodeMessage(NodeSchema, { ...node, asOf: timestampFromMs(0) })),
  );
  return first !== undefined && second !== undefined && first.equals(second);
}

function lengthText(id: Uint8Array): string {
  return `invalid UUID (got ${countText(id.length, "byte")})`;
}
