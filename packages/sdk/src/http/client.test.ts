import { createServer, type IncomingMessage, type RequestListener } from "node:http";

import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { getBuildInfo } from "@slipway/api/deployment/routes";
import { getFile, uploadFile } from "@slipway/api/files/routes";
import { logout } from "@slipway/api/users/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { type LocalServer, openLocalServer } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { ApiClient } from "./client.ts";
import { AnswerError, ApiError, ConnectError, isRetryable } from "./errors.ts";

async function serve(listener: RequestListener): Promise<LocalServer> {
  const server = await openLocalServer(createServer(listener));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Creates a server with a fixed response, and a client of it. */
async function answering(status: number, body: string): Promise<ApiClient> {
  const { url } = await serve((_request, response) => response.writeHead(status).end(body));
  return new ApiClient({ serverUrl: url });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(request));
}

describe("ApiClient", () => {
  it("sends token, headers and body, and reads the answer", async () => {
    const seen = Promise.withResolvers<object>();
    const { url } = await serve((request, response) => {
      void readBody(request).then((body) => {
        const { "coder-session-token": token, "x-more": more } = request.headers;
        const type = request.headers["content-type"];
        const { method } = request;
        seen.resolve({ method, url: request.url, token, more, type, body: body.toString() });
        response.writeHead(201).end('{"id":"b"}');
      });
    });
    const client = new ApiClient({ serverUrl: `${url}/`, token: "t", headers: { "X-More": "1" } });
    const params = { workspace: "a/b" };
    const build = await client.call(createBuild, { params, body: { transition: "stop" } });
    expect(build).toEqual({ id: "b" });
    expect(await seen.promise).toEqual({
      method: "POST",
      url: "/api/v2/workspaces/a%2Fb/builds",
      token: "t",
      more: "1",
      type: "application/json",
      body: '{"transition":"stop"}',
    });
  });

  it("builds addresses with the query that is set", () => {
    const client = new ApiClient({ serverUrl: "http://server/base/" });
    const params = { agent: "x" };
    expect(client.url(getAgentLogs, { params, query: { after: "3", follow: "" } })).toBe(
      "http://server/base/api/v2/workspaceagents/x/logs?after=3&follow=",
    );
    expect(client.url(getAgentLogs, { params })).toBe(
      "http://server/base/api/v2/workspaceagents/x/logs",
    );
  });

  it("sends and reads raw bytes", async () => {
    const { url } = await serve((request, response) => {
      if (request.method === "GET") return response.end(Buffer.of(0, 255));
      return void readBody(request).then((body) =>
        response.end(JSON.stringify({ hash: body.toString("hex") })),
      );
    });
    const client = new ApiClient({ serverUrl: url });
    const input = { bytes: Uint8Array.of(1, 2, 254), contentType: "application/x-tar" };
    expect(await client.upload(uploadFile, input)).toEqual({ hash: "0102fe" });
    const bytes = await client.download(getFile, { params: { file: "f" } });
    expect(bytes).toEqual(Uint8Array.of(0, 255));
  });

  it("takes an empty answer for nothing", async () => {
    const client = await answering(200, "");
    expect(await client.call(logout)).toBeUndefined();
  });

  it("throws what the server said, with its status", async () => {
    const body = { message: "no", detail: "why", validations: [{ field: "f", detail: "d" }] };
    const client = await answering(400, JSON.stringify(body));
    const error: unknown = await client.call(getBuildInfo).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, body, message: "no why f: d", retryable: false });
    expect(isRetryable(error)).toBe(false);
  });

  it("has no control characters of others in its message", async () => {
    const client = await answering(404, '{"message":"no","detail":"stat \\u001b[2Jx\\nboo"}');
    const error: unknown = await client.call(getBuildInfo).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(String(error)).not.toMatch(/\p{Cc}/u);
    expect(String(error)).toContain("no stat ");
  });

  it("goes by the status when something else answers", async () => {
    const client = await answering(502, "<html>Bad Gateway</html>");
    const error: unknown = await client.call(getBuildInfo).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 502, message: "unexpected answer 502 Bad Gateway" });
    expect(isRetryable(error)).toBe(true);
  });

  it("says so when a page answers in place of the server", async () => {
    const client = await answering(200, "<html>Log in to the hotel</html>");
    const error: unknown = await client.call(getBuildInfo).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AnswerError);
    expect(error).toMatchObject({
      message: `${client.serverUrl} does not answer as a Slipway server does`,
    });
    expect(isRetryable(error)).toBe(false);
  });

  it("says whom it cannot reach, and that trying again may help", async () => {
    const { url } = await serve((request) => request.socket.destroy());
    const error: unknown = await new ApiClient({ serverUrl: url })
      .call(getBuildInfo)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ message: `cannot reach ${url}`, url });
    expect(isRetryable(error)).toBe(true);
  });

  it("takes an answer that breaks off for none", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("{", () => response.destroy());
    });
    const client = new ApiClient({ serverUrl: url });
    await expect(client.call(getBuildInfo)).rejects.toBeInstanceOf(ConnectError);
    const params = { file: "f" };
    await expect(client.download(getFile, { params })).rejects.toBeInstanceOf(ConnectError);
  });

  it("throws the reason of its caller's signal", async () => {
    const { url } = await serve(() => undefined);
    const controller = new AbortController();
    const call = new ApiClient({ serverUrl: url }).call(getBuildInfo, {
      signal: controller.signal,
    });
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });
});

describe("isRetryable", () => {
  it("is true for busy and broken servers only", () => {
    const statuses = [400, 401, 404, 409, 429, 500, 503];
    const retryable = statuses.filter((status) =>
      isRetryable(new ApiError(status, { message: "" })),
    );
    expect(retryable).toEqual([429, 500, 503]);
    expect(isRetryable(new Error("other"))).toBe(false);
  });
});
