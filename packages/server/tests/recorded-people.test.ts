import { listUserOrganizations } from "@slipway/api/organizations/routes";
import { createToken, getTokenByName } from "@slipway/api/users/key-routes";
import { readRecording } from "@slipway/testkit/recordings";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { AnswerComparison } from "./support/compare-answer.ts";
import { ofPeople } from "./support/deliberate-differences.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/*
 * The requests of stock commands about people, tokens and organizations, replayed on our server: the same statuses,
 * every recorded key with its type, and no others.
 */

/** In this order: one command shows a user created by another. */
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

/** Ids of the recorded server by name. */
const recordedOrganization = "81551382-b18c-4ffc-8c64-c4d0b67ba3c0";
const recordedToken = "fDHrTI9M1x";

const comparison = new AnswerComparison(ofPeople);
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

describe("what a stock command asks about people", () => {
  it.each(commands)("%s gets answers of the recorded shapes", async (command) => {
    for (const record of readRecording(`command/${command}`)) {
      const { method = "GET", path = "", request_body: raw } = record;
      const body: unknown = raw === undefined ? undefined : JSON.parse(ours(raw));
      const answer = await server.request(method, ours(path.replace("/api/v2", "")), body);
      expect(comparison.compare(record, answer)).toEqual([]);
    }
  });

  it("is answered otherwise only as listed", () => {
    expect(comparison.unseen()).toEqual([]);
  });
});
