import { randomUUID } from "node:crypto";

import { goneReason } from "@slipway/tailnet/coordination/peer-update";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import {
  CoordinateResponse_PeerUpdate_Kind as Kind,
  NodeSchema,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import { afterEach, beforeEach, expect, vi } from "vitest";

import type { Coordinator } from "../../src/network/coordinator/coordinator.ts";
import type { LeaveKind, PeerConnection } from "../../src/network/coordinator/peer-connection.ts";
import type { DirectoryTimes } from "../../src/network/coordinator/peer-directory.ts";

/** One replica, which can also end abruptly. */
export interface CoordinatorReplica {
  readonly coordinator: Coordinator;
  kill(): Promise<void>;
}

/** Replicas under test that share their peers. */
export interface CoordinatorsUnderTest extends AsyncDisposable {
  /** Opens one more replica, which the suite closes. */
  openReplica(): Promise<CoordinatorReplica>;
}

/** Intervals short enough for a test to wait for each. */
export const quickTimes: DirectoryTimes = { heartbeatMs: 100, deadMs: 1_000, graceMs: 1_200 };

/** A peer that reads everything sent to it. */
export class TestPeer {
  readonly id: string;
  readonly connection: PeerConnection;
  /** The received responses, as `<kind> <name>`, or the error. */
  readonly heard: string[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  readonly #names: ReadonlyMap<string, string>;

  constructor(coordinator: Coordinator, names: Map<string, string>, name: string, id: string) {
    this.id = id;
    this.#names = names;
    names.set(id, name);
    this.connection = coordinator.join({
      id,
      holder: `holder of ${name}`,
      keyId: undefined,
      ip: undefined,
    });
    this.ended = this.#read().catch(() => undefined);
  }

  /** Publishes a node with this content. */
  publish(content: string, reserved: readonly string[] = []): Promise<boolean> {
    const bytes = encodeMessage(NodeSchema, { disco: content, preferredDerp: 999 });
    return this.connection.publish({ bytes, reserved, latency: undefined });
  }

  leave(how: LeaveKind): Promise<void> {
    this.connection.leave(how);
    return this.connection.written;
  }

  /** Resolves once it has received exactly this since the last call. */
  async hears(...expected: readonly string[]): Promise<void> {
    await vi.waitFor(() => expect(this.heard).toEqual(expected), { timeout: 5_000, interval: 5 });
    this.heard.length = 0;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #read(): Promise<void> {
    for await (const response of this.connection.responses(this.#stop.signal)) {
      if ("error" in response) {
        this.heard.push(response.error);
        continue;
      }
      for (const { id, kind = 0, node, reason } of response.peerUpdates) {
        const name = this.#names.get(parseUuid(id ?? new Uint8Array(16))) ?? "?";
        const content = kind === Kind.NODE ? ` ${node?.disco ?? ""}` : "";
        const isGone = kind === Kind.LOST && reason === goneReason;
        const [what = "?"] = Object.entries(Kind).find(([, number]) => number === kind) ?? [];
        this.heard.push(`${what} ${name}${content}${isGone ? " gone" : ""}`);
      }
    }
    this.heard.push("end");
  }
}

/** The replicas and peers of the current test. */
export interface CoordinatorWorld {
  /** Returns the coordinator of the first replica. */
  readonly first: () => Coordinator;
  /** Opens another replica. */
  readonly another: () => Promise<CoordinatorReplica>;
  /** Lets a peer join on a replica (default: the first). */
  readonly join: (name: string, id?: string, replica?: CoordinatorReplica) => TestPeer;
  /** Joins an agent and a client that reaches it, on one replica or two. */
  readonly joinPair: (
    second?: CoordinatorReplica,
  ) => Promise<{ agent: TestPeer; client: TestPeer }>;
}

/** Opens a world before each test of the suite around, and closes it after. */
export function useCoordinatorWorld(open: () => Promise<CoordinatorsUnderTest>): CoordinatorWorld {
  let place: CoordinatorsUnderTest;
  let replicas: CoordinatorReplica[];
  let peers: TestPeer[];
  let names: Map<string, string>;

  beforeEach(async () => {
    place = await open();
    replicas = [await place.openReplica()];
    peers = [];
    names = new Map();
  });

  afterEach(async () => {
    for (const peer of peers) peer.stop();
    for (const { coordinator } of replicas) await coordinator[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function another(): Promise<CoordinatorReplica> {
    const replica = await place.openReplica();
    replicas.push(replica);
    return replica;
  }

  function join(name: string, id: string = randomUUID(), replica = replicas[0]): TestPeer {
    if (replica === undefined) throw new Error("there is no replica");
    const peer = new TestPeer(replica.coordinator, names, name, id);
    peers.push(peer);
    return peer;
  }

  async function joinPair(second = replicas[0]): Promise<{ agent: TestPeer; client: TestPeer }> {
    const agent = join("agent");
    const client = join("client", undefined, second);
    await client.connection.addTunnel(agent.id);
    await client.publish("c1");
    await agent.publish("a1");
    await agent.hears("NODE client c1");
    await client.hears("NODE agent a1");
    return { agent, client };
  }

  return {
    first: () => {
      const [replica] = replicas;
      if (replica === undefined) throw new Error("there is no replica");
      return replica.coordinator;
    },
    another,
    join,
    joinPair,
  };
}
