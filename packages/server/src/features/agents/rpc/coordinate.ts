import {
  type CoordinateRequest,
  type CoordinateRequest_ReadyForHandshake,
  type CoordinateResponseSchema,
  type MessageInitShape,
  type Node,
  parseUuid,
} from "@slipway/wire";

import { type AddressCheck, addressCheck } from "./agent-address.ts";

type Response = MessageInitShape<typeof CoordinateResponseSchema>;

/** The most ids answered in one request; only we could have told an agent of that many peers. */
const maxHandshakes = 1024;
const uuidBytes = 16;

/**
 * Serves the agent as a peer while there are no others: forbidden requests are refused as the protocol requires
 * (docs/protocol/rpc.md §6.3), the rest is ignored. Ends with the agent's disconnect, or with its requests.
 */
export async function* coordinate(
  agentId: string,
  requests: AsyncIterable<CoordinateRequest>,
): AsyncGenerator<Response, void, undefined> {
  const refusal = authorizer(agentId);
  for await (const request of requests) {
    const error = refusal(request);
    if (error !== undefined) {
      yield { error };
      return;
    }
    if (request.disconnect !== undefined) return;
    for (const { id } of request.readyForHandshake) {
      yield {
        error: `ready for handshake error: you do not share a tunnel with "${parseUuid(id)}"`,
      };
    }
  }
}

/** Returns a function that gives the reason to refuse a request as a whole, or undefined. */
function authorizer(agentId: string): (request: CoordinateRequest) => string | undefined {
  const check = addressCheck(agentId);
  return ({ addTunnel, updateSelf, readyForHandshake }) => {
    if (addTunnel !== undefined) return "authorization: agents cannot open tunnels";
    const problem = updateSelf === undefined ? undefined : nodeProblem(check, updateSelf.node);
    return problem ?? handshakeProblem(readyForHandshake);
  };
}

function nodeProblem(check: AddressCheck, node: Node | undefined): string | undefined {
  if (node === undefined) return "authorization: update_self has no node";
  const fields = [
    ["Addresses", node.addresses],
    ["AllowedIps", node.allowedIps],
  ] as const;
  for (const [field, prefixes] of fields) {
    for (const prefix of prefixes) {
      const problem = check(prefix);
      if (problem !== undefined) return `authorization: ${field}: ${problem}`;
    }
  }
  return undefined;
}

function handshakeProblem(
  handshakes: readonly CoordinateRequest_ReadyForHandshake[],
): string | undefined {
  if (handshakes.length > maxHandshakes) {
    return `ready_for_handshake has ${handshakes.length} ids, at most ${maxHandshakes} are taken`;
  }
  const malformed = handshakes.find(({ id }) => id.length !== uuidBytes);
  if (malformed === undefined) return undefined;
  return `unable to convert bytes to UUID: invalid UUID (got ${malformed.id.length} bytes)`;
}
