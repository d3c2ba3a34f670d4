import { connectWithToken, type ExternalAgent } from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import {
  type AgentsWorld,
  type CallerKind,
  openAgentsWorld,
  type Relation,
  relations,
} from "./support/agents-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { type RpcRow, rpcTable } from "./support/rpc-table.ts";

const never = new AbortController().signal;
const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: AgentsWorld;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openAgentsWorld(server);
});

afterAll(() => opened.disposeAsync());

/** Opens a session of a caller for the duration of a test. */
async function connect(caller: CallerKind): Promise<ExternalAgent["connection"]> {
  const { itself } = world.seenBy[caller];
  const { connection } = await connectWithToken(server.url, itself?.token ?? "");
  return connection;
}

/** Returns the rows of all agents except those named. */
async function rowsOfOthers(caller: CallerKind, changed: readonly string[]): Promise<unknown> {
  const agents = Object.entries(world.seenBy[caller]).filter(
    ([relation]) => !changed.includes(relation),
  );
  return Promise.all(agents.map(async ([relation, { id }]) => [relation, await world.rowsOf(id)]));
}

interface Call {
  readonly caller: CallerKind;
  readonly relation: Relation;
  readonly row: RpcRow;
}

/** Returns each RPC for each agent that exists for a caller; an RPC that names nothing, once. */
function callsOf(caller: CallerKind): readonly Call[] {
  const known = relations.filter((one) => one !== (caller === "agent" ? "parent" : "child"));
  return rpcTable.flatMap((row) =>
    (row.allowed === "names nothing" ? (["itself"] as const) : known).map((relation) => ({
      caller,
      relation,
      row,
    })),
  );
}

describe("what an agent may ask", () => {
  it("is said of every RPC of the service but the one that agents do without", () => {
    const said = rpcTable.map(({ name }) => name);
    const all = Agent.methods.map(({ name }) => name).filter((name) => name !== "PushContextState");
    expect(said.toSorted()).toEqual(all.toSorted());
  });

  // The agent comes last, because it deletes the child.
  it.each([...callsOf("sub-agent"), ...callsOf("agent")])(
    "$caller calls $row.name about $relation",
    async ({ caller, relation, row }) => {
      const named = world.seenBy[caller][relation];
      if (named === undefined) throw new Error(`there is no ${relation}`);
      const isAllowed = row.allowed === "names nothing" || row.allowed.includes(relation);
      const isIgnored = row.ignored.includes(relation);
      const wanted = isAllowed || isIgnored ? "done" : row.otherwise;
      const mayChange = isAllowed ? [relation, "itself"] : isIgnored ? [] : ["itself"];
      const before = await rowsOfOthers(caller, mayChange);
      const connection = await connect(caller);
      const outcome = await row.call(connection, named).then(
        () => "done",
        () => "refused",
      );
      await connection.close();
      expect(outcome).toBe(row.isOfRootAgents && caller === "sub-agent" ? "refused" : wanted);
      expect(await rowsOfOthers(caller, mayChange)).toEqual(before);
    },
  );

  it.each(["child", "sibling", "same owner", "stranger"] as const)(
    "opens no tunnel to a %s and takes no address of it",
    async (relation) => {
      const id = encodeUuid(world.seenBy.agent[relation]?.id ?? "");
      const connection = await connect("agent");
      const answersTo = async (request: object): Promise<readonly unknown[]> => {
        const requests = (async function* one() {
          yield request;
        })();
        return Array.fromAsync(connection.duplex(Tailnet.method.coordinate, requests, never));
      };
      expect(await answersTo({ addTunnel: { id } })).toMatchObject([
        { error: "authorization: agents cannot open tunnels" },
      ]);
      expect(await answersTo({ readyForHandshake: [{ id }] })).toMatchObject([
        { error: expect.stringContaining("you do not share a tunnel") },
      ]);
      await connection.close();
    },
  );
});
