import { Type } from "typebox";

import { routesOf } from "../contract/route.ts";
import { createComponents, isJsonObject, type JsonObject } from "./components.ts";
import { describeOperation, securitySchemes, templatePath } from "./operation.ts";

/** The parts of an OpenAPI 3.1 document that this module writes. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  /** Operations by path below the server's URL, then by method in lower case. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  readonly components: { readonly schemas: JsonObject; readonly securitySchemes: JsonObject };
}

/**
 * Describes the contract: `contract` is the module of this package, whose routes become operations under their export
 * names, and whose schemas become components under theirs. The description comes from the schemas that validate
 * requests.
 */
export function describeApi(
  contract: Readonly<Record<string, unknown>>,
  version: string,
): OpenApiDocument {
  const steps = describeApiInSteps(contract, version);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Describes the contract as `describeApi` does, in one step per route, since all of them together take a while. */
export function* describeApiInSteps(
  contract: Readonly<Record<string, unknown>>,
  version: string,
): Generator<undefined, OpenApiDocument> {
  const exported = Object.entries(contract).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const components = createComponents(new Map(exported.filter(([, value]) => isNamedType(value))));
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const { name, route } of routesOf(contract)) {
    const operations = (paths[templatePath(route)] ??= {});
    operations[route.method.toLowerCase()] = describeOperation(name, route, components.refer);
    yield;
  }
  return {
    openapi: "3.1.0",
    info: { title: "Slipway", version },
    servers: [{ url: "/api/v2" }],
    paths: sorted(paths),
    components: { schemas: sorted(components.used), securitySchemes },
  };
}

/** Objects and lists of texts deserve a name; a plain text does not. */
function isNamedType(value: unknown): boolean {
  return Type.IsObject(value) || (isJsonObject(value) && Array.isArray(value["enum"]));
}

function sorted<T>(entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
