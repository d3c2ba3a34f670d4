import { expect, it } from "vitest";

import { readWorkspaceReference } from "./workspace-reference.ts";

it.each([
  ["demo", { kind: "name", owner: "me", name: "demo" }],
  ["ada/demo", { kind: "name", owner: "ada", name: "demo" }],
  [
    "0190A1B2-0000-7000-8000-000000000001",
    { kind: "id", id: "0190a1b2-0000-7000-8000-000000000001" },
  ],
])("reads %s", (text, reference) => {
  expect(readWorkspaceReference(text)).toEqual(reference);
});

it.each(["", "a/b/c", "a b", "/demo", "ada/", "-x", "new"])(
  "refuses %j and names the expected value",
  (text) => {
    expect(() => readWorkspaceReference(text)).toThrow("wanted name, owner/name or an id");
  },
);
