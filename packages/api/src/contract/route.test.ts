import { Type } from "typebox";
import { describe, expect, it } from "vitest";

import { defineRoute, routePath } from "./route.ts";

const twoParts = defineRoute({
  method: "GET",
  path: "/users/:user/workspace/:name",
  summary: "An example",
  params: Type.Object({ user: Type.String(), name: Type.String() }),
  response: Type.Unknown(),
});

describe("routePath", () => {
  it("fills in the parameters", () => {
    expect(routePath(twoParts, { user: "me", name: "dev" })).toBe("/users/me/workspace/dev");
  });

  it("escapes what would be another path or a query", () => {
    expect(routePath(twoParts, { user: "../a b", name: "x?y#z/ä" })).toBe(
      "/users/..%2Fa%20b/workspace/x%3Fy%23z%2F%C3%A4",
    );
  });

  it("puts a value in as it stands, whatever patterns it holds", () => {
    expect(routePath(twoParts, { user: ":name", name: "$&" })).toBe(
      "/users/%3Aname/workspace/%24%26",
    );
  });

  it("names the parameter that is missing", () => {
    expect(() => routePath(twoParts, { user: "me" })).toThrow(
      "route /users/:user/workspace/:name needs the parameter name",
    );
  });
});

describe("defineRoute", () => {
  it("makes a route for users that answers JSON with 200 unless told otherwise", () => {
    expect(twoParts).toMatchObject({ caller: "user", kind: "json", status: 200 });
    expect(twoParts).toMatchObject({ scopes: [], tag: "users" });
    expect(Type.IsObject(twoParts.query)).toBe(true);
  });
});
