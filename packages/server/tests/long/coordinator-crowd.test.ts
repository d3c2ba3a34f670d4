import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { useCoordinatorWorld } from "../support/coordinator-world.ts";
import { openOnPostgres } from "../support/postgres-coordinators.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
});

afterAll(() => database[Symbol.asyncDispose]());

describe("a coordinator on PostgreSQL", () => {
  const { another, join } = useCoordinatorWorld(() => openOnPostgres(database));

  it.each(["on one replica", "on two replicas"])(
    "%s, tells an agent of a thousand peers",
    async (where) => {
      const there = where === "on one replica" ? undefined : await another();
      const agent = join("agent");
      const clients = Array.from({ length: 1_100 }, (_, number) =>
        join(`client ${number}`, undefined, there),
      );
      await Promise.all(
        clients.map(async (client, number) => {
          await client.connection.addTunnel(agent.id);
          await client.publish(`c${number}`);
        }),
      );
      await vi.waitFor(() => expect(new Set(agent.heard).size).toBe(1_100), { timeout: 40_000 });
      expect(agent.heard.every((text) => text.startsWith("NODE client "))).toBe(true);
    },
  );
});
