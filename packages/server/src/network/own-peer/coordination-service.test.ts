import { encodeUuid } from "@slipway/wire/bytes/uuid";
import {
  type CoordinateResponse,
  CoordinateResponse_PeerUpdate_Kind as Kind,
  CoordinateResponseSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import { agentAddresses } from "../coordinator/node-address.ts";
import { takenUpdate } from "./coordination-service.ts";

const agentId = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
const otherId = "00112233-4455-6677-8899-aabbccddeeff";
const ownAddress = "fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5d/128";

function update(
  id: string,
  kind: Kind,
  prefixes: readonly string[],
): CoordinateResponse["peerUpdates"][number] {
  const node = { addresses: [...prefixes], allowedIps: [...prefixes], preferredDerp: 999 };
  const message = createMessage(CoordinateResponseSchema, {
    peerUpdates: [{ id: encodeUuid(id), kind, node }],
  });
  const [first] = message.peerUpdates;
  if (first === undefined) throw new Error("no update");
  return first;
}

it("takes nothing about a peer to which the server has no tunnel", () => {
  for (const kind of [Kind.NODE, Kind.LOST, Kind.READY_FOR_HANDSHAKE]) {
    expect(takenUpdate(update(otherId, kind, []), (id) => id === agentId)).toBeUndefined();
  }
});

it.each([
  ["another agent's address", agentAddresses(otherId).map((address) => `${address}/128`)],
  ["the address that old agents share", ["fd7a:115c:a1e0:49d6:b259:b7ac:b1b2:48f4/128"]],
  ["every address of the network", ["fd7a:115c:a1e0::/48", "::/0"]],
  ["an address of the internet", ["2001:db8::1/128", "192.0.2.1/32"]],
  ["no address", ["", "x", "fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5d"]],
])("leaves out %s", (_what, prefixes) => {
  const taken = takenUpdate(update(agentId, Kind.NODE, [...prefixes, ownAddress]), () => true);
  expect(taken?.node).toMatchObject({
    addresses: [ownAddress],
    allowedIps: [ownAddress],
    preferredDerp: 999,
  });
});
