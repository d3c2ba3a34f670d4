import { expect, it } from "vitest";

import { parseConnectionSearch, searchOf } from "./connection-search.ts";

const id = "0f8fad5b-d9cb-469f-a165-70867728950e";

it.each([
  ["", {}],
  ["dev", { workspace: "dev" }],
  ["type:ssh status:ongoing", { type: "ssh", status: "ongoing" }],
  [`workspace_id:${id} connection-id:${id}`, { workspaceId: id, connectionId: id }],
  ["workspace_owner:Ann organization:default", { owner: "ann", organization: "default" }],
  ["workspace_owner_email:ann@example.com", { ownerEmail: "ann@example.com" }],
  ["username:Ann user_email:Ann@example.com", { username: "ann", userEmail: "ann@example.com" }],
  [
    'connected_after:2026-01-01 connected_before:"2026-01-31T12:00:00Z"',
    { after: "2026-01-01T00:00:00.000Z", before: "2026-01-31T12:00:00.000Z" },
  ],
  [
    "type:ssh -workspace_owner:me -dev",
    { type: "ssh", exclusions: [{ owner: "me" }, { workspace: "dev" }] },
  ],
])("reads %j", (q, search) => {
  expect(parseConnectionSearch(q)).toEqual(search);
});

it.each([
  ["bogus:1", "bogus"],
  ["-bogus:1", "bogus"],
  ["constructor:1", "constructor"],
  ["type:telnet", "type"],
  ["status:over", "status"],
  ["workspace_id:1", "workspace_id"],
  ["connected_after:today", "connected_after"],
])("refuses %j and names the key", (q, field) => {
  expect(() => parseConnectionSearch(q)).toThrow(
    expect.objectContaining({ code: "invalid", validations: [expect.objectContaining({ field })] }),
  );
});

it("puts the caller in place of me, also in what is excluded", () => {
  expect(
    searchOf(parseConnectionSearch("username:me -workspace_owner:me -username:ann"), id),
  ).toEqual({
    username: undefined,
    userId: id,
    exclusions: [{ owner: undefined, ownerId: id }, { username: "ann" }],
  });
});
