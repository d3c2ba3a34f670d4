import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import {
  CoordinateResponse_PeerUpdate_Kind as Kind,
  NodeSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import { expect, it, onTestFinished } from "vitest";

import { MemoryPeers } from "../../../tests/support/memory-directory.ts";
import { PeerConnection, type PeerResponse } from "./peer-connection.ts";
import { defaultDirectoryTimes, type View } from "./peer-directory.ts";

const agentId = randomUUID();
const view: View = new Map([
  [
    agentId,
    { node: encodeMessage(NodeSchema, { preferredDerp: 999 }), readiness: 0, isGone: false },
  ],
]);

/** Opens the connection of a client that has a tunnel to the agent; the test passes it its views. */
async function openClient(): Promise<PeerConnection> {
  const client = { id: randomUUID(), holder: "user:ann", keyId: undefined, ip: undefined };
  const owner = {
    look: () => undefined,
    countUpdates: () => undefined,
    announce: () => undefined,
    forget: () => undefined,
  };
  const parts = {
    directory: new MemoryPeers(defaultDirectoryTimes).open(),
    clock: systemClock,
    logger: silentLogger,
    signal: new AbortController().signal,
    owner,
  };
  const connection = new PeerConnection(client, parts, undefined);
  onTestFinished(() => connection.end());
  await connection.addTunnel(agentId);
  return connection;
}

/** Returns the kinds of updates in a response. */
function kindsOf(response: PeerResponse | undefined): readonly (Kind | undefined)[] {
  return response === undefined || "error" in response
    ? []
    : response.peerUpdates.map(({ kind }) => kind);
}

it("tells whoever gave up a tunnel and asks for it again, even if it saw no view without it", async () => {
  const client = await openClient();
  const responses = client.responses(new AbortController().signal);
  const next = async () => kindsOf((await responses.next()).value ?? undefined);
  client.show(view);
  expect(await next()).toEqual([Kind.NODE]);
  await client.removeTunnel(agentId);
  await client.addTunnel(agentId);
  client.show(view);
  expect(await next()).toEqual([Kind.NODE]);
});

it("tells nothing twice to one that keeps its tunnel", async () => {
  const client = await openClient();
  const responses = client.responses(new AbortController().signal);
  const next = async () => kindsOf((await responses.next()).value ?? undefined);
  client.show(view);
  expect(await next()).toEqual([Kind.NODE]);
  await client.removeTunnel(randomUUID());
  client.show(view);
  const told = next();
  // The reader has compared the same view, and waits for another one.
  await new Promise((resolve) => setImmediate(resolve));
  client.show(new Map());
  expect(await told).toEqual([Kind.DISCONNECTED]);
});

it("tells a peer nothing about another that has gone before it was told of it", async () => {
  const client = await openClient();
  const responses = client.responses(new AbortController().signal);
  client.show(view);
  client.show(new Map());
  const next = responses.next();
  const otherId = randomUUID();
  client.show(new Map([...view].map(([, seen]) => [otherId, seen])));
  expect(await next).toMatchObject({ value: { peerUpdates: [{ id: encodeUuid(otherId) }] } });
});
