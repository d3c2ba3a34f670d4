import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { createToken, getTokenByName, listUserOrganizations } from "@slipway/api";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { shapeDifferences } from "./support/json-shape.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/*
 * What stock commands asked about people, tokens and organizations, asked of ours: the same statuses, and every recorded
 * key with its type.
 */

/** In this order: one command shows the user whom another one made. */
const commands = [
  "login",
  "whoami",
  "organizations-show",
  "users-create",
  "users-show",
  "tokens-create",
  "tokens-list",
  "tokens-remove",
];

/** Where we answer otherwise on purpose: the place, and what is there and here. */
const deliberate: Readonly<Record<string, string>> = {
  "GET /users/me/keys/tokens?include_all=false&include_expired=false ":
    "null for no tokens there, a list here",
};

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly request_body?: string;
  readonly status: number;
  readonly response_body?: string;
}

/** Ids of the recorded server by what they are. */
const recordedOrganization = "81551382-b18c-4ffc-8c64-c4d0b67ba3c0";
const recordedToken = "fDHrTI9M1x";

let server: OpenServer;
let organization = "";
let token = "";

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  const params = { user: "me" };
  organization = (await server.admin.call(listUserOrganizations, { params }))[0]?.id ?? "";
  await server.admin.call(createToken, { params, body: { token_name: "t1" } });
  token = (await server.admin.call(getTokenByName, { params: { ...params, name: "t1" } })).id;
  await server.request("PUT", "/users/me/profile", { username: "admin", name: "Admin" });
});

afterAll(() => server[Symbol.asyncDispose]());

function ours(text: string): string {
  return text.replaceAll(recordedOrganization, organization).replaceAll(recordedToken, token);
}

async function readRequests(command: string): Promise<readonly Recorded[]> {
  const shared =
    process.env["SLIPWAY_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
  const file = await readFile(join(shared, `recordings/command/${command}.jsonl`), "utf8");
  return (
    file
      .trim()
      .split("\n")
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the form of the recordings is told by their README
      .map((line) => JSON.parse(line) as Recorded)
  );
}

describe("what a stock command asks about people", () => {
  it.each(commands)("%s gets answers of the recorded shapes", async (command) => {
    for (const record of await readRequests(command)) {
      const path = record.path.replace("/api/v2", "");
      const body: unknown =
        record.request_body === undefined ? undefined : JSON.parse(ours(record.request_body));
      const answer = await server.request(record.method, ours(path), body);
      const name = `${record.method} ${path}`;
      expect(answer.status, `${name}: ${JSON.stringify(answer.body)}`).toBe(record.status);
      if (record.response_body === undefined) continue;
      const recorded: unknown = JSON.parse(record.response_body);
      const found = shapeDifferences(recorded, answer.body).map((each) => `${name} ${each.path}`);
      expect(found.filter((place) => deliberate[place] === undefined)).toEqual([]);
    }
  });
});
