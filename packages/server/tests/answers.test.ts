import { randomUUID } from "node:crypto";
import { once } from "node:events";

import { getBuildInfo } from "@slipway/api/deployment/routes";
import { maxFileBytes, tarMimeType } from "@slipway/api/files/routes";
import { pushVersion } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { openServer, type OpenServer } from "./support/open-server.ts";

/* What all responses have, and the responses to requests that are wrong. */

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let versionId: string;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  versionId = await pushVersion(server.admin, template);
});

afterAll(() => opened.disposeAsync());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent unchanged. */
  readonly raw?: string;
}

/** Sends a request exactly as given, without a client's normalization. */
async function request(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
  const body = parts.raw ?? (parts.body === undefined ? null : JSON.stringify(parts.body));
  const response = await fetch(`${server.url}/api/v2${path}`, {
    method,
    headers: parts.headers ?? {},
    body,
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  const parsed: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, body: parsed };
}

function asAdmin(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
  return request(method, path, {
    ...parts,
    headers: { ...server.admin.headers, ...parts.headers },
  });
}

describe("every answer", () => {
  it("says which server and which request it is from", async () => {
    const { headers } = await request("GET", "/buildinfo");
    expect(headers.get("x-coder-build-version")).toMatch(/^v\d+\.\d+\.\d+/);
    expect(headers.get("x-coder-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    const { version } = await server.admin.call(getBuildInfo);
    // With the suffix that keeps stock commands of other versions from warning.
    expect(headers.get("x-coder-build-version")).toBe(`${version}.v0.0.0`);
  });

  const uuid = randomUUID();
  it.each<readonly [string, string, string, RequestParts, number, object]>([
    [
      "JSON that is none",
      "POST",
      "/users/login",
      { raw: '{"email":' },
      400,
      { message: "Request body must be valid JSON.", detail: expect.any(String) },
    ],
    [
      "a value of a wrong type",
      "POST",
      "/users/login",
      { body: { email: 7 } },
      400,
      {
        message: "Validation failed.",
        validations: [
          { field: "password", detail: "is required" },
          { field: "email", detail: "must be string" },
        ],
      },
    ],
    [
      "no body at all",
      "POST",
      "/users/login",
      {},
      400,
      { validations: [{ field: "body", detail: "must be object" }] },
    ],
    [
      "a body above the limit",
      "POST",
      "/users/login",
      { body: { email: "x".repeat(1024 * 1024), password: "" } },
      413,
      { message: "Request body is too large." },
    ],
    [
      "a file above the limit",
      "POST",
      "/files",
      { raw: "x".repeat(maxFileBytes + 1), headers: { "content-type": tarMimeType } },
      413,
      { message: "Request body is too large." },
    ],
    [
      "a file of another type",
      "POST",
      "/files",
      { raw: "PK", headers: { "content-type": "application/zip" } },
      400,
      { message: 'Unsupported content type header "application/zip".' },
    ],
    [
      "an id that does not exist",
      "GET",
      `/workspaces/${uuid}`,
      {},
      404,
      { message: "Resource not found or you do not have access to this resource" },
    ],
    [
      "an agent that does not exist",
      "GET",
      `/workspaceagents/${uuid}`,
      {},
      404,
      { message: "Agent doesn't exist with that id, or you do not have access to it." },
    ],
    [
      "an id that is none",
      "GET",
      "/workspaces/abc",
      {},
      400,
      { message: 'Invalid UUID "abc".', detail: "invalid UUID length: 3" },
    ],
    [
      "a search key that is unknown",
      "GET",
      "/workspaces?q=size:big",
      {},
      400,
      { validations: [{ field: "size", detail: '"size" is not a valid query param' }] },
    ],
    ["a route that is unknown", "GET", "/nowhere", {}, 404, { message: "Route not found." }],
    [
      "a request from another site's page",
      "POST",
      "/users/logout",
      { headers: { origin: "http://evil.example" } },
      403,
      { message: 'The origin "http://evil.example" does not match this server.' },
    ],
  ])("to %s is an error that says so", async (_what, method, path, parts, status, body) => {
    const answer = await asAdmin(method, path, parts);
    expect(answer.body).toMatchObject(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.text.endsWith("}\n")).toBe(true);
  });

  it.each(["-1", "x", "1.5", "99999999999999999999"])(
    "to a log from %j on is an error that says so",
    async (after) => {
      const answer = await asAdmin("GET", `/templateversions/${versionId}/logs?after=${after}`);
      expect(answer.status).toBe(400);
      expect(answer.body).toEqual({
        message: 'Query param "after" must be an integer greater than or equal to zero.',
        validations: [
          { field: "after", detail: "Must be an integer greater than or equal to zero" },
        ],
      });
    },
  );

  it("by a wrong method is answered with the right ones", async () => {
    const answer = await asAdmin("DELETE", "/buildinfo");
    expect(answer).toMatchObject({ status: 405, text: "" });
    expect(answer.headers.get("allow")).toBe("GET");
  });

  it("refuses a socket to who is signed out before it upgrades", async () => {
    const url = `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${uuid}/logs?follow`;
    const socket = new WebSocket(url);
    const [, response] = await once(socket, "unexpected-response");
    expect(response).toMatchObject({ statusCode: 401 });
    socket.on("error", () => undefined);
    socket.terminate();
  });

  it("is ready for a probe", async () => {
    const response = await fetch(`${server.url}/healthz`);
    expect(response.status).toBe(200);
  });
});
