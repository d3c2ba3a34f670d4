import { contract } from "@slipway/api/contract";
import { ApiError } from "@slipway/sdk/http";
import { describe, expect, it } from "vitest";

import { explain } from "./explain.ts";
import { targetThing } from "./not-found.ts";

const general = { message: "Resource not found or you do not have access to this resource" };

const exported: readonly unknown[] = Object.values(contract);

/** The paths of the contract that name a resource, with a value for each parameter. */
const targets = exported
  .map(pathOf)
  .filter((path) => path.includes("/:"))
  .map((path) => ({
    path,
    params: Object.fromEntries(
      Array.from(path.matchAll(/:(\w+)/g), ([, name = ""]) => [name, `the-${name}`]),
    ),
  }));

/** Returns the path of a route; empty for other exports of the contract. */
function pathOf(value: unknown): string {
  const isRoute =
    typeof value === "object" && value !== null && "path" in value && "method" in value;
  return isRoute ? String(value.path) : "";
}

describe("a thing that is not found", () => {
  it.each(targets)("is named with its kind: $path", (target) => {
    const { text, exitCode } = explain(new ApiError(404, general, target), undefined);
    const last = Object.values(target.params).at(-1);
    // A kind of one or more words, rather than the parameter's name.
    expect(text).toMatch(
      new RegExp(
        `^[a-z]+( [a-z]+)* ${last}( of [a-z ]+ the-\\w+)? does not exist or is not visible to you$`,
      ),
    );
    expect(text).not.toMatch(/^name /);
    expect(exitCode).toBe(4);
  });

  it("is told with whose it is, but not that it is one's own", () => {
    const path = "/users/:user/keys/tokens/:name";
    expect(targetThing({ path, params: { user: "ann", name: "ci" } })).toBe("token ci of user ann");
    expect(targetThing({ path, params: { user: "me", name: "ci" } })).toBe("token ci");
    expect(targetThing({ path: "/users/:user", params: { user: "me" } })).toBeUndefined();
  });

  it("is named by its place where parameters have one name", () => {
    const params = { provider: "acme" };
    const external = "external auth provider acme";
    expect(targetThing({ path: "/external-auth/:provider", params })).toBe(external);
    const test = { path: "/login-providers/:provider/test", params };
    expect(targetThing(test)).toBe("login provider acme");
  });

  it("keeps what the server says of it in particular", () => {
    const target = { path: "/workspaces/:workspace/port-share", params: { workspace: "w" } };
    const error = new ApiError(404, { message: "Port share not found." }, target);
    expect(explain(error, undefined).text).toBe("Port share not found.");
  });
});
