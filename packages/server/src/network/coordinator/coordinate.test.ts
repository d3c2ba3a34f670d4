import { silentLogger, systemClock } from "@slipway/runtime";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type { CoordinateRequest } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { CoordinateRequestSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { expect, it, onTestFinished } from "vitest";

import { MemoryPeers } from "../../../tests/support/memory-directory.ts";
import { coordinate, type CoordinationBudget } from "./coordinate.ts";
import { Coordinator } from "./coordinator.ts";
import { agentAddresses } from "./node-address.ts";
import { defaultDirectoryTimes } from "./peer-directory.ts";
import { agentPolicy } from "./peer-policy.ts";

const agentId = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
const otherId = "00112233-4455-6677-8899-aabbccddeeff";

type Fields = MessageInitShape<typeof CoordinateRequestSchema>;

/** The milliseconds that each budget makes the peer wait. */
let waits: Readonly<Partial<Record<CoordinationBudget, number>>> = {};

/** Returns the responses to requests, and the number of requests read. */
async function answersTo(...fields: readonly Fields[]) {
  const isWaiting = waits;
  waits = {};
  let read = 0;
  async function* requests(): AsyncGenerator<CoordinateRequest, void, undefined> {
    for (const item of fields) {
      read += 1;
      yield createMessage(CoordinateRequestSchema, item);
    }
  }
  const directory = new MemoryPeers(defaultDirectoryTimes).open();
  const coordinator = new Coordinator({ directory, clock: systemClock, logger: silentLogger });
  onTestFinished(() => coordinator[Symbol.asyncDispose]());
  const peer = {
    id: agentId,
    holder: "workspace",
    keyId: undefined,
    ip: undefined,
    policy: agentPolicy(agentId),
    recall: undefined,
    leaving: async () => "lost" as const,
    latencyOf: undefined,
    reserve: (budget: CoordinationBudget) => isWaiting[budget] ?? 0,
    log: () => silentLogger,
  };
  const { signal } = new AbortController();
  const errors: unknown[] = [];
  const needs = { coordinator, clock: systemClock };
  for await (const { error } of coordinate(needs, peer, requests(), signal)) errors.push(error);
  return { errors, read };
}

function update(addresses: string[], allowedIps: string[] = addresses): Fields {
  return { updateSelf: { node: { addresses, allowedIps } } };
}

it("derives the addresses of the agent from its id", () => {
  expect(agentAddresses(agentId)).toEqual([
    "fd7a:115c:a1e0:4a7b:8c9d:0e1f:2a3b:4c5d",
    "fd60:627a:a42b:4a7b:8c9d:0e1f:2a3b:4c5d",
  ]);
});

it("takes the agent's own node in silence and ends with its disconnect", async () => {
  const own = [
    "fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5d/128",
    "fd60:627a:a42b:4a7b:8c9d:e1f:2a3b:4c5d/128",
    "fd7a:115c:a1e0:49d6:b259:b7ac:b1b2:48f4/128",
  ];
  const removed = { removeTunnel: { id: encodeUuid(otherId) } };
  expect(await answersTo(update(own), removed, { disconnect: {} }, update(own))).toEqual({
    errors: [],
    read: 3,
  });
});

it.each([
  [{ addTunnel: { id: encodeUuid(otherId) } }, "authorization: agents cannot open tunnels"],
  [
    update(["fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5e/128"]),
    "authorization: Addresses: invalid node address, got fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5e",
  ],
  [
    update([], ["fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5d/64"]),
    "authorization: AllowedIps: invalid address bits, expected 128, got 64",
  ],
  [update(["10.0.0.1/32"]), "authorization: Addresses: invalid address bits, expected 128, got 32"],
  [update(["10.0.0.1/128"]), "authorization: Addresses: invalid node address, got 10.0.0.1"],
  [
    update(["::1"]),
    'authorization: Addresses: parse node address: "::1" is no address with its bits',
  ],
  [{ updateSelf: {} }, "authorization: update_self has no node"],
  [
    { readyForHandshake: [{ id: new Uint8Array(3) }] },
    "unable to convert bytes to UUID: invalid UUID (got 3 bytes)",
  ],
])("refuses what an agent may not ask, and hangs up", async (request, error) => {
  expect(await answersTo(request, { disconnect: {} })).toEqual({ errors: [error], read: 1 });
});

it("goes on after a handshake with a peer that has no tunnel", async () => {
  const request = { readyForHandshake: [{ id: encodeUuid(otherId) }] };
  expect(await answersTo(request, request)).toMatchObject({
    errors: Array.from(
      { length: 2 },
      () => `ready for handshake error: you do not share a tunnel with "${otherId}"`,
    ),
    read: 2,
  });
});

it.each([
  ["coordinations", {}, "too many calls of Coordinate", 0],
  ["nodes", update([]), "too many changes of the node", 1],
  ["tunnels", { removeTunnel: { id: encodeUuid(otherId) } }, "too many changes of tunnels", 1],
] as const)(
  "refuses a peer that would wait too long for its budget of %s",
  async (budget, request, error, read) => {
    waits = { [budget]: 10_001 };
    expect(await answersTo(request, { disconnect: {} })).toEqual({ errors: [error], read });
    waits = { [budget]: 1 };
    expect(await answersTo(request, { disconnect: {} })).toEqual({ errors: [], read: 2 });
  },
);
