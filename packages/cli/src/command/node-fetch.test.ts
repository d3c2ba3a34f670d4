import { createServer, type RequestListener } from "node:http";

import { openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { nodeFetch } from "./node-fetch.ts";

async function serve(listener: RequestListener): Promise<string> {
  const server = await openLocalServer(createServer(listener));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server.url;
}

const never = new AbortController().signal;

it.each([
  [301, "GET", ""],
  [302, "GET", ""],
  [303, "GET", ""],
  [307, "POST", "text/plain"],
  [308, "POST", "text/plain"],
])("follows a redirect of status %d by %s", async (status, method, type) => {
  const url = await serve((request, response) => {
    if (request.url === "/") response.writeHead(status, { Location: "/moved" }).end("elsewhere");
    else {
      const { "content-type": contentType = "", "x-more": more } = request.headers;
      response
        .writeHead(201)
        .end(`${request.method} ${request.url} ${contentType} ${String(more)}`);
    }
  });
  const response = await nodeFetch(url, {
    method: "POST",
    headers: { "Content-Type": "text/plain", "X-More": "1" },
    body: "body",
    signal: never,
  });
  expect(response).toMatchObject({ ok: true, status: 201, statusText: "Created" });
  expect(await response.text()).toBe(`${method} /moved ${type} 1`);
});

it.each(["POST", "PUT", "PATCH", "DELETE"])("sends the body of a %s request", async (method) => {
  const url = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => response.end(Buffer.concat(chunks)));
  });
  const response = await nodeFetch(url, { method, headers: {}, body: "bödy", signal: never });
  expect(await response.text()).toBe("bödy");
});

/** A server that echoes requests, and one that redirects there, under another host name if one is given. */
async function redirecting(host = "127.0.0.1"): Promise<string> {
  const other = await serve((request, response) => response.end(JSON.stringify(request.headers)));
  const location = other.replace("127.0.0.1", host);
  return serve((_request, response) => response.writeHead(307, { Location: location }).end());
}

const secrets = { "Coder-Session-Token": "secret", "X-More": "1", Accept: "text/plain" };

it.each([
  ["another host", "localhost"],
  ["another port", "127.0.0.1"],
])("follows a redirect to %s without tokens and headers of the user", async (_, host) => {
  const url = await redirecting(host);
  const response = await nodeFetch(url, { method: "GET", headers: secrets, signal: never });
  const sent: unknown = JSON.parse(await response.text());
  expect(sent).toMatchObject({ accept: "text/plain" });
  expect(sent).not.toHaveProperty("coder-session-token");
  expect(sent).not.toHaveProperty("x-more");
});

it("follows a redirect on the same server with all of them", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/") response.writeHead(307, { Location: "/moved" }).end();
    else response.end(JSON.stringify(request.headers));
  });
  const response = await nodeFetch(url, { method: "GET", headers: secrets, signal: never });
  expect(JSON.parse(await response.text())).toMatchObject({
    "coder-session-token": "secret",
    "x-more": "1",
  });
});

it("sends another server no body, which may hold a password", async () => {
  const url = await redirecting();
  const request = { method: "POST", headers: {}, body: "password", signal: never };
  await expect(nodeFetch(url, request)).rejects.toThrow("which gets no data");
});

it("follows no redirect to what is no server", async () => {
  const url = await serve((_request, response) =>
    response.writeHead(302, { Location: "file:///etc/passwd" }).end(),
  );
  await expect(nodeFetch(url, { method: "GET", headers: {}, signal: never })).rejects.toThrow(
    /protocol/i,
  );
});

it.each(["text", "arrayBuffer"] as const)("does not read a body without end: %s", async (read) => {
  const chunk = Buffer.alloc(1024 * 1024);
  const url = await serve((_request, response) => {
    const write = (): void => {
      while (response.write(chunk));
    };
    response.on("drain", write);
    write();
  });
  const response = await nodeFetch(url, { method: "GET", headers: {}, signal: never });
  await expect(response[read]()).rejects.toMatchObject({
    code: "answer-error",
    cause: { message: "a body of more than 67108864 bytes" },
  });
});

it("waits for no body of a redirect, and closes the connection", async () => {
  const closed = Promise.withResolvers<void>();
  const url = await serve((request, response) => {
    if (request.url === "/moved") {
      response.end("moved");
      return;
    }
    response.once("close", closed.resolve);
    response.writeHead(307, { Location: "/moved" }).flushHeaders();
  });
  const response = await nodeFetch(url, { method: "GET", headers: {}, signal: never });
  expect(await response.text()).toBe("moved");
  await closed.promise;
});

it("gives up on endless redirects", async () => {
  const url = await serve((_request, response) => response.writeHead(307, { Location: "/" }).end());
  await expect(nodeFetch(url, { method: "GET", headers: {}, signal: never })).rejects.toThrow(
    "more than 20 redirects",
  );
});

it("returns an error response, and bytes as they are", async () => {
  const url = await serve((_request, response) =>
    response.writeHead(404).end(Buffer.from([0, 255])),
  );
  const response = await nodeFetch(url, { method: "GET", headers: {}, signal: never });
  expect(response).toMatchObject({ ok: false, status: 404, statusText: "Not Found" });
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([0, 255]));
});

it("rejects with the signal's reason before and during the response", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/slow") response.writeHead(200).write("a");
  });
  const reason = new Error("enough");
  for (const path of ["/", "/slow"]) {
    const ending = new AbortController();
    const answer = nodeFetch(`${url}${path}`, {
      method: "GET",
      headers: {},
      signal: ending.signal,
    }).then((response) => response.text());
    setTimeout(() => ending.abort(reason), 20);
    await expect(answer).rejects.toBe(reason);
  }
  const ended = AbortSignal.abort(reason);
  await expect(nodeFetch(url, { method: "GET", headers: {}, signal: ended })).rejects.toBe(reason);
});

it("rejects with the cause if no server answers", async () => {
  const url = await serve(() => undefined);
  await expect(
    nodeFetch(url.replace(/\d+$/, "1"), { method: "GET", headers: {}, signal: never }),
  ).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("says which program it is", async () => {
  const url = await serve((request, response) => response.end(request.headers["user-agent"]));
  const response = await nodeFetch(url, { method: "GET", headers: {}, signal: never });
  expect(await response.text()).toMatch(/^slipway\/[\d.]+ \(\w+\)$/);
});
