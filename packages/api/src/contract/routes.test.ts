import { Type } from "typebox";
import { describe, expect, it } from "vitest";

import * as api from "../index.ts";
import { routesOf } from "./routes-of.ts";

const routes = routesOf(api);

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

  it("upgrades only by GET, and reads no body there", () => {
    const upgrading = routes.filter(({ route }) => route.kind.includes("socket"));
    expect(upgrading.filter(({ route }) => route.method !== "GET")).toEqual([]);
  });
});

/** Reports whether a schema is a string, or several when the parameter is repeated. */
function isRepeatable(schema: unknown): boolean {
  if (!Type.IsUnion(schema) || schema.anyOf.length !== 2) return false;
  const [one, several] = schema.anyOf;
  return Type.IsString(one) && Type.IsArray(several) && Type.IsString(several.items);
}
