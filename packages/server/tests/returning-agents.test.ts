import { randomUUID } from "node:crypto";

import { connectWithToken, fillFleet, fleetAgentToken } from "@slipway/testkit";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { seedBuild, seedWorkspace } from "./support/rows.ts";

/* Agents that connect at the same moment, more than the server admits at once. */

const agents = 150;
const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const seeded = await seedWorkspace(server.db);
  await seedBuild(server.db, seeded, { number: 1, transition: "start", job: "succeeded" });
  await fillFleet((statement) => sql.raw(statement).execute(server.db), seeded, agents);
});

afterAll(() => opened.disposeAsync());

async function connect(token: string): Promise<"connected"> {
  const { connection } = await connectWithToken(server.url, token);
  opened.defer(() => connection.close());
  await connection.unary(Agent.method.getManifest, {}, new AbortController().signal);
  return "connected";
}

function connectAll(): Promise<readonly string[]> {
  const tokens = Array.from({ length: agents }, (_, index) => fleetAgentToken(index + 1));
  return Promise.all(tokens.map(connect));
}

it("admits all that come at the same moment", async () => {
  expect(new Set(await connectAll())).toEqual(new Set(["connected"]));
});

it("admits them beside strangers, who take no place in the queue", async () => {
  const strangers = Array.from({ length: agents }, () =>
    connect(randomUUID()).catch((error: unknown) => error),
  );
  expect(new Set(await connectAll())).toEqual(new Set(["connected"]));
  for (const refused of await Promise.all(strangers)) {
    expect(refused).toMatchObject({ name: "DialError", rung: "authentication" });
  }
});
