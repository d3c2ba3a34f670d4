import { describe, expect, it } from "vitest";

import { parseUserSearch } from "./search.ts";

const nothing = { words: [], status: undefined, role: undefined, loginType: undefined };

describe("parseUserSearch", () => {
  it("takes words and keys together, in any case", () => {
    expect(parseUserSearch("")).toEqual(nothing);
    expect(parseUserSearch('Ann "de Vries" status:Active role:owner login_type:none')).toEqual({
      words: ["ann", "de vries"],
      status: "active",
      role: "owner",
      loginType: "none",
    });
    expect(parseUserSearch("search:ann")).toEqual({ ...nothing, words: ["ann"] });
  });

  it.each([
    ["status:gone", "status", 'must be one of active, dormant, suspended, found "gone"'],
    [
      "colour:red",
      "colour",
      '"colour" is not a valid key; valid keys are search, status, role, login_type',
    ],
  ])("names what is wrong with %s", (query, field, detail) => {
    expect(() => parseUserSearch(query)).toThrow(
      expect.objectContaining({ code: "invalid", validations: [{ field, detail }] }),
    );
  });
});
