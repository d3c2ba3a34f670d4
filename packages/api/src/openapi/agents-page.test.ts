import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { contract } from "../contract.ts";
import { absentOperations, differences } from "./agents-page.ts";
import { compareFields, shapeOf } from "./compare-fields.ts";
import { isJsonObject, type JsonObject } from "./components.ts";
import { describeApi } from "./document.ts";

/*
 * Compares our document, field by field, with the operations that Coder publishes for its agents' routes.
 */
const file = join(import.meta.dirname, "../../../../docs/protocol/agents.openapi.json");
const page = readJson(file);

interface Operation {
  /** Method and path, with `{}` for each parameter. */
  readonly place: string;
  readonly operation: JsonObject;
}

const ours = describeApi(contract, "1");
const oursByPlace = new Map(
  operationsOf(ours.paths, "").map(({ place, operation }) => [place, operation]),
);
const theirs = operationsOf(object(page["paths"]), "/api/v2");

describe("the page of the agents' routes", () => {
  it("has the operations that we do not have yet, and no others", () => {
    const absent = theirs.filter(({ place }) => !oursByPlace.has(place)).map(({ place }) => place);
    expect(absent.toSorted()).toEqual([...absentOperations].toSorted());
  });

  it("has the same fields with the same types but for the listed differences", () => {
    const found = theirs.flatMap(({ place, operation }) => {
      const own = oursByPlace.get(place);
      return own === undefined
        ? []
        : compareOperations(operation, own).map((text) => `${place} ${text}`);
    });
    expect(found.toSorted()).toEqual(Object.keys(differences).toSorted());
  });
});

function compareOperations(their: JsonObject, own: JsonObject): string[] {
  const bodyParameter = parametersOf(their).find((parameter) => parameter["in"] === "body");
  return [
    ...compareFields(queryOf(their, page), queryOf(own, ours), "query"),
    ...compareFields(
      shapeOf(bodyParameter?.["schema"], page),
      shapeOf(jsonOf(own["requestBody"]), ours),
      "body",
    ),
    ...compareFields(
      shapeOf(successOf(their)["schema"], page),
      shapeOf(messageOf(successOf(own)), ours),
      "answer",
    ),
  ];
}

function queryOf(operation: JsonObject, root: object): ReturnType<typeof shapeOf> {
  const entries = parametersOf(operation)
    .filter((parameter) => parameter["in"] === "query")
    .map((parameter) => [String(parameter["name"]), parameter["schema"] ?? parameter]);
  return shapeOf({ type: "object", properties: Object.fromEntries(entries) }, root);
}

function parametersOf(operation: JsonObject): JsonObject[] {
  const list: unknown = operation["parameters"];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** Returns the successful response with a body, or an upgrade. */
function successOf(operation: JsonObject): JsonObject {
  const responses = object(operation["responses"]);
  const status = Object.keys(responses).find((key) => key.startsWith("2")) ?? "101";
  return object(responses[status]);
}

function messageOf(response: JsonObject): unknown {
  return response["x-message"] ?? jsonOf(response);
}

function jsonOf(value: unknown): unknown {
  const content = object(object(value)["content"]);
  return object(content["application/json"])["schema"];
}

function operationsOf(paths: JsonObject, prefix: string): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(object(methods)).map(([method, operation]) => ({
      place: `${method.toUpperCase()} ${path.slice(prefix.length).replaceAll(/\{[^}]+\}/g, "{}")}`,
      operation: object(operation),
    })),
  );
}

function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function readJson(path: string): JsonObject {
  return object(JSON.parse(readFileSync(path, "utf8")));
}
