import { ErrorBody } from "../contract/api-error.ts";
import type { Caller, Route } from "../contract/route.ts";
import { provisionerKeyHeader } from "../contract/route.ts";
import { isJsonObject, type JsonObject } from "./components.ts";

/** Writes a schema into the document. */
type Refer = (schema: unknown) => JsonObject;

/** Writes one route as an operation of OpenAPI 3.1; `id` is its export name in the contract. */
export function describeOperation(id: string, route: Route, refer: Refer): JsonObject {
  return {
    operationId: id,
    summary: route.summary,
    ...describeKind(route),
    tags: [route.tag],
    security: security[route.caller],
    parameters: [
      ...parameters("path", route.params, refer),
      ...parameters("query", route.query, refer),
    ],
    ...describeBody(route, refer),
    responses: {
      ...describeSuccess(route, refer),
      ...(route.mayBeUnchanged
        ? { 304: { description: "Not modified: the request changes nothing." } }
        : {}),
      ...(route.caller === "anyone"
        ? {}
        : { 401: refusal("The token is missing, invalid or expired.", refer) }),
      ...(route.bodyKind === "none" ? {} : { 413: refusal("The body is too large.", refer) }),
      default: refusal("The request failed; the status code tells why.", refer),
    },
  };
}

/** Returns the path of a route in OpenAPI's form. */
export function templatePath(route: Route): string {
  return route.path.replaceAll(/:([a-z_]+)/g, "{$1}");
}

/** The token may come in any of these places; the first that has one is used (docs/protocol/rest.md §1.2). */
export const securitySchemes = {
  SessionToken: {
    type: "apiKey",
    in: "header",
    name: "Coder-Session-Token",
    description: "A session token or API token of a user.",
  },
  SessionCookie: { type: "apiKey", in: "cookie", name: "coder_session_token" },
  SessionQuery: { type: "apiKey", in: "query", name: "coder_session_token" },
  SessionBearer: { type: "http", scheme: "bearer" },
  AgentToken: {
    type: "apiKey",
    in: "header",
    name: "Coder-Session-Token",
    description: "An agent token; accepted in the same places as a session token.",
  },
  ProvisionerKey: {
    type: "apiKey",
    in: "header",
    name: provisionerKeyHeader,
    description: "The key of provisioners.",
  },
} as const;

const security: Readonly<Record<Caller, readonly JsonObject[]>> = {
  anyone: [],
  user: [{ SessionToken: [] }, { SessionCookie: [] }, { SessionQuery: [] }, { SessionBearer: [] }],
  agent: [{ AgentToken: [] }],
  provisioner: [{ ProvisionerKey: [] }],
};

const descriptions = {
  json: undefined,
  bytes: undefined,
  socket:
    "A WebSocket; a request without an upgrade is answered with 426. `x-message` is the schema of a message.",
  "event-stream":
    "Server-sent events of the types `ping`, `data` and `error`. `x-message` is the schema of a `data` event.",
  "json-or-socket":
    "With `follow` in the query, a WebSocket that also sends what is added later; without it, a single response.",
} as const;

function describeKind(route: Route): JsonObject {
  const description = descriptions[route.kind];
  return description === undefined ? {} : { description };
}

function parameters(place: "path" | "query", schema: unknown, refer: Refer): JsonObject[] {
  if (!isJsonObject(schema) || !isJsonObject(schema["properties"])) return [];
  const required: unknown = schema["required"];
  return Object.entries(schema["properties"]).map(([name, inner]) => ({
    name,
    in: place,
    required: place === "path" || (Array.isArray(required) && required.includes(name)),
    schema: refer(inner),
  }));
}

function describeBody(route: Route, refer: Refer): JsonObject {
  if (route.bodyKind === "none") return {};
  const isJson = route.bodyKind === "json";
  return {
    requestBody: {
      description: `At most ${bytesText(route.maxBodyBytes)}.`,
      required: true,
      content: isJson ? json(refer(route.body)) : { "application/octet-stream": {} },
      "x-max-bytes": route.maxBodyBytes,
      ...(isJson ? { "x-max-values": route.maxBodyValues } : {}),
    },
  };
}

function bytesText(bytes: number): string {
  const kibibytes = bytes / 1024;
  return kibibytes < 1024 ? `${kibibytes} KiB` : `${kibibytes / 1024} MiB`;
}

function describeSuccess(route: Route, refer: Refer): JsonObject {
  const schema = refer(route.response);
  const upgrade = { description: "Switching Protocols" };
  switch (route.kind) {
    case "json":
      return {
        [route.status]: {
          description: "Success",
          ...(route.status === 204 ? {} : { content: json(schema) }),
        },
      };
    case "bytes":
      return {
        [route.status]: { description: "Success", content: { "application/octet-stream": {} } },
      };
    case "socket":
      return { 101: { ...upgrade, "x-message": schema } };
    case "event-stream":
      return {
        [route.status]: {
          description: "An event stream",
          content: { "text/event-stream": { schema: { type: "string" } } },
          "x-message": schema,
        },
      };
    case "json-or-socket":
      return {
        101: upgrade,
        [route.status]: { description: "Success", content: json(schema) },
      };
  }
}

function refusal(description: string, refer: Refer): JsonObject {
  return { description, content: json(refer(ErrorBody)) };
}

function json(schema: JsonObject): JsonObject {
  return { "application/json": { schema } };
}
