import { readFile } from "node:fs/promises";
import { createServer } from "node:net";

import { openLocalServer, openTestDatabase } from "@slipway/testkit";
import pg from "pg";
import { expect, inject, it, onTestFinished } from "vitest";

import { isOutage } from "../src/platform/db/errors.ts";

async function openClient(): Promise<pg.Client> {
  const database = await openTestDatabase(inject("postgresUrl"));
  onTestFinished(() => database[Symbol.asyncDispose]());
  const client = new pg.Client({ connectionString: database.url });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

/** Resolves to the error of a rejected promise. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

it("takes a session that was ended for an outage, and each query on it afterwards", async () => {
  const client = await openClient();
  const ended = new Promise((resolve) => client.once("end", resolve));
  const first = await failureOf(client.query("select pg_terminate_backend(pg_backend_pid())"));
  await ended;
  const next = await failureOf(client.query("select 1"));
  expect([first, next].map(isOutage)).toEqual([true, true]);
  expect(String(next)).toContain("not queryable");
});

it("takes a server that does not answer, or is not there, for an outage", async () => {
  const silent = await openLocalServer(createServer());
  const ask = (port: number) =>
    failureOf(
      new pg.Client({ host: "127.0.0.1", port, user: "x", connectionTimeoutMillis: 50 }).connect(),
    );
  const late = await ask(silent.port);
  await silent[Symbol.asyncDispose]();
  const absent = await ask(silent.port);
  expect([late, absent].map(isOutage)).toEqual([true, true]);
});

it("takes a socket that is not there for an outage, but no other file", async () => {
  const absent = new pg.Client({ host: "/nowhere", port: 1, user: "x" });
  const errors = [await failureOf(absent.connect()), await failureOf(readFile("/nowhere/file"))];
  expect(errors.map(isOutage)).toEqual([true, false]);
});

it("takes a host whose name does not resolve for an outage", async () => {
  const client = new pg.Client({ host: "database.invalid", user: "x" });
  expect(isOutage(await failureOf(client.connect()))).toBe(true);
});

it("takes a server with no connection left for an outage", async () => {
  const client = await openClient();
  const { host, port, database } = client;
  const role = `full_${database}`;
  await client.query(`create role "${role}" login connection limit 0`);
  onTestFinished(async () => void (await client.query(`drop role "${role}"`)));
  const refused = new pg.Client({ host, port, database: database ?? "", user: role });
  expect(isOutage(await failureOf(refused.connect()))).toBe(true);
});

it("does not take what PostgreSQL says of a statement for an outage", async () => {
  const client = await openClient();
  expect(isOutage(await failureOf(client.query("select nothing")))).toBe(false);
  expect(isOutage(new Error("a driver failed"))).toBe(false);
});
