import { describe, expect, it } from "vitest";

import { isOwn, parseSearch } from "./search.ts";

describe("parseSearch", () => {
  it.each([
    ["", { owner: undefined, name: undefined }],
    ["owner:me", { owner: "me", name: undefined }],
    ["  owner:ann   name:dev ", { owner: "ann", name: "dev" }],
    ["dev", { owner: undefined, name: "dev" }],
    ['owner:"ann" name:"my-dev"', { owner: "ann", name: "my-dev" }],
  ])("reads %j", (q, search) => {
    expect(parseSearch(q)).toEqual(search);
  });

  it("names the key that it does not know", () => {
    expect(() => parseSearch("owner:me status:running")).toThrow(
      expect.objectContaining({
        status: 400,
        validations: [{ field: "status", detail: '"status" is not a valid query param' }],
      }),
    );
  });
});

describe("isOwn", () => {
  const caller = { id: "1", username: "Ann", roles: [], keyId: "k" };
  it.each([
    ["owner:me", true],
    ["owner:ann", true],
    ["owner:bob", false],
    ["dev", false],
  ])("%s: %s", (q, expected) => {
    expect(isOwn(parseSearch(q), caller)).toBe(expected);
  });
});
