import { Validator } from "@seriousme/openapi-schema-validator";
import { Type } from "typebox";
import { describe, expect, it } from "vitest";

import { contract } from "../contract.ts";
import { defineRoute } from "../contract/route.ts";
import { oneOf } from "../contract/scalars.ts";
import { describeApi } from "./document.ts";

describe("the document of the contract", () => {
  const document = describeApi(contract, "1.2.3");
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone({ ...document }))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("has every route of the contract once, under the name that exports it", () => {
    const routes = Object.entries(contract).flatMap(([name, value]) =>
      typeof value === "object" && value !== null && "method" in value ? [name] : [],
    );
    const ids = operations.map((operation) => String(operation["operationId"]));
    expect(ids.toSorted()).toEqual(routes.toSorted());
  });

  it("refers only to what it has", () => {
    const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
    const names = new Set([...references].map(([, name]) => String(name)));
    expect([...names].toSorted()).toEqual(Object.keys(document.components.schemas));
  });
});

describe("describeApi", () => {
  const Color = oneOf("red", "green");
  const Thing = Type.Object({
    color: Color,
    labels: Type.Record(Type.String(), Type.String()),
    parts: Type.Optional(Type.Array(Type.Object({ name: Type.String() }))),
  });
  const params = Type.Object({ thing: Type.String() });
  const path = "/things/:thing";
  const summary = "An example";
  const example = {
    Color,
    Thing,
    getThing: defineRoute({ method: "GET", path, summary, params, response: Thing }),
    putThing: defineRoute({
      method: "PUT",
      path,
      summary,
      caller: "agent",
      params,
      query: Type.Object({ force: Type.Optional(Type.String()), at: Type.String() }),
      body: Thing,
      status: 201,
      mayBeUnchanged: true,
      response: Type.Array(Thing),
    }),
    watchThing: defineRoute({
      method: "GET",
      path: `${path}/watch`,
      summary,
      kind: "socket",
      params,
      response: Thing,
    }),
    uploadThing: defineRoute({
      method: "POST",
      path: "/things",
      summary,
      caller: "anyone",
      bodyKind: "bytes",
      response: Thing,
    }),
  };
  const { paths, components } = describeApi(example, "1");
  const reference = { $ref: "#/components/schemas/Thing" };

  it("names the schemas that the contract names, and writes the others out", () => {
    expect(components.schemas).toMatchObject({
      Color: { type: "string", enum: ["red", "green"] },
      Thing: {
        type: "object",
        required: ["color", "labels"],
        properties: {
          color: { $ref: "#/components/schemas/Color" },
          labels: { type: "object", additionalProperties: { type: "string" } },
          parts: { type: "array", items: { properties: { name: { type: "string" } } } },
        },
      },
    });
  });

  it("tells parameters of path and query, and which must be there", () => {
    expect(paths["/things/{thing}"]?.["put"]).toMatchObject({
      operationId: "putThing",
      parameters: [
        { name: "thing", in: "path", required: true, schema: { type: "string" } },
        { name: "force", in: "query", required: false },
        { name: "at", in: "query", required: true },
      ],
    });
  });

  it("tells the body, the answer and the errors", () => {
    const put = paths["/things/{thing}"]?.["put"];
    expect(put?.["requestBody"]).toEqual({
      description: "At most 64 KiB.",
      required: true,
      content: { "application/json": { schema: reference } },
      "x-max-bytes": 65_536,
      "x-max-values": 10_000,
    });
    expect(put?.["responses"]).toMatchObject({
      201: { content: { "application/json": { schema: { type: "array", items: reference } } } },
      304: { description: "Not modified: the request changes nothing." },
      401: { description: "The token is missing, invalid or expired." },
      default: {},
    });
  });

  it("tells who may call", () => {
    expect(paths["/things/{thing}"]?.["put"]?.["security"]).toEqual([{ AgentToken: [] }]);
    expect(paths["/things/{thing}"]?.["get"]?.["security"]).toContainEqual({ SessionToken: [] });
    expect(paths["/things"]?.["post"]?.["security"]).toEqual([]);
  });

  it("describes a socket by its messages, and bytes as bytes", () => {
    expect(paths["/things/{thing}/watch"]?.["get"]?.["responses"]).toMatchObject({
      101: { "x-message": reference },
    });
    expect(paths["/things"]?.["post"]?.["requestBody"]).toEqual({
      description: "At most 16 KiB.",
      required: true,
      content: { "application/octet-stream": {} },
      "x-max-bytes": 16_384,
    });
  });
});
