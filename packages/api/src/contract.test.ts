import { glob } from "node:fs/promises";

import { Type } from "typebox";
import { expect, it, describe } from "vitest";

import { getBuildState } from "./builds/routes.ts";
import { contract } from "./contract.ts";
import { routesOf } from "./contract/route.ts";
import { updatePassword, createUser } from "./users/routes.ts";
import { KeyResponse } from "./users/user.ts";

it("holds the routes of every file", async () => {
  const listed = new Set(routesOf(contract).map(({ route }) => route));
  const absent: string[] = [];
  for await (const file of glob("**/*routes.ts", { cwd: import.meta.dirname })) {
    const exported: Readonly<Record<string, unknown>> = await import(`./${file}`);
    for (const { name, route } of routesOf(exported)) {
      if (!listed.has(route)) absent.push(`${file}: ${name}`);
    }
  }
  expect(absent).toEqual([]);
});

const routes = routesOf(contract);

describe("the route table", () => {
  it("has routes", () => {
    expect(routes.length).toBeGreaterThan(40);
  });

  it.each(routes)("$name declares exactly the parameters of its path", ({ route }) => {
    const inPath = [...route.path.matchAll(/:([a-z_]+)/g)].map(([, name]) => name);
    const declared = Type.IsObject(route.params) ? Object.keys(route.params.properties) : [];
    expect(new Set(declared)).toEqual(new Set(inPath));
  });

  it.each(routes)("$name has a path below the prefix, and a summary", ({ route }) => {
    expect(route.path).toMatch(/^(\/(:[a-z_]+|[a-z.-]+))*\/?$/);
    expect(route.summary).toMatch(/^[A-Z][^.]+$/);
  });

  it.each(routes)("$name takes queries of strings only, some of them repeated", ({ route }) => {
    const properties = Type.IsObject(route.query) ? Object.values(route.query.properties) : [];
    const isText = (schema: unknown) => Type.IsString(schema) || isRepeatable(schema);
    expect(properties.filter((schema) => !isText(schema))).toEqual([]);
  });

  it("names each method and path once, whatever the parameters are called", () => {
    const places = routes.map(
      ({ route }) => `${route.method} ${route.path.replaceAll(/:[a-z_]+/g, ":")}`,
    );
    expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
  });

  it("groups them by resource, and the rest under the deployment", () => {
    expect([...new Set(routes.map(({ route }) => route.tag))].toSorted()).toEqual([
      "audit",
      "deployment",
      "external-auth",
      "files",
      "login-providers",
      "notifications",
      "organizations",
      "prebuilds",
      "templates",
      "templateversions",
      "users",
      "workspaceagents",
      "workspacebuilds",
      "workspaces",
    ]);
  });

  it("upgrades only by GET, and reads no body there", () => {
    const upgrading = routes.filter(({ route }) => route.kind.includes("socket"));
    expect(upgrading.filter(({ route }) => route.method !== "GET")).toEqual([]);
  });
});

describe("the scopes of routes", () => {
  it("are those of users' tokens: other routes have none", () => {
    const others = routes.filter(({ route }) => route.caller !== "user");
    expect(others.filter(({ route }) => route.scopes.length > 0)).toEqual([]);
  });

  it("are single actions, each once", () => {
    for (const { route } of routes) expect(route.scopes).toEqual([...new Set(route.scopes)]);
    const scopes = routes.flatMap(({ route }) => route.scopes);
    expect(scopes.filter((scope) => /^coder:|\*$/.test(scope))).toEqual([]);
  });

  it("open what returns a credential only by the scope of that credential", () => {
    const returning = routes.filter(({ route }) => returnsCredential(route.response));
    expect(Object.fromEntries(returning.map(({ name, route }) => [name, route.scopes]))).toEqual({
      awsInstanceIdentity: [],
      azureInstanceIdentity: [],
      createKey: ["api_key:create"],
      createProvisionerKey: [],
      createToken: ["api_key:create"],
      getAgentExternalAuth: [],
      getAgentGitAuth: [],
      getAgentGitKey: [],
      getExternalAgentCredentials: ["user_secret:read"],
      googleInstanceIdentity: [],
      kubernetesInstanceIdentity: [],
      login: [],
      redeemDeviceLogin: [],
    });
  });

  it("do not open the state of drivers, nor passwords, by which an owner's token would get any session", () => {
    for (const route of [getBuildState, updatePassword, createUser]) {
      expect(route.scopes).toEqual([]);
    }
  });
});

/** The response fields that contain a credential; `key` does only in the response to a new key. */
const credentialFields = /(^|_)token$|^(private_key|password)$/;

/** Returns whether a schema has such a field, at any depth. */
function returnsCredential(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  if (JSON.stringify(schema) === JSON.stringify(KeyResponse)) return true;
  return Object.entries(schema).some(
    ([name, inner]) =>
      (credentialFields.test(name) && Type.IsString(inner)) || returnsCredential(inner),
  );
}

/** Returns whether a schema is a string, or several when the parameter is repeated. */
function isRepeatable(schema: unknown): boolean {
  if (!Type.IsUnion(schema) || schema.anyOf.length !== 2) return false;
  const [one, several] = schema.anyOf;
  return Type.IsString(one) && Type.IsArray(several) && Type.IsString(several.items);
}
