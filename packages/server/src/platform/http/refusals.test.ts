import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { silentLogger } from "@slipway/runtime";
import type { FastifyRequest } from "fastify";
import { expect, it, onTestFinished } from "vitest";

import { watchClient } from "./client-disconnect.ts";
import { createHttpServer } from "./http-server.ts";
import { AllowedMethods } from "./refusals.ts";

it("reports failures, but not those of requests whose clients did not wait", async () => {
  const errors: unknown[] = [];
  const logger = { ...silentLogger, error: (fields: unknown) => void errors.push(fields) };
  const app = await createHttpServer("v1", { ...logger, child: () => logger });
  const begun = Promise.withResolvers<void>();
  const slow = async (request: FastifyRequest): Promise<never> => {
    using client = watchClient(request);
    const { signal } = client;
    const gone = once(signal, "abort");
    begun.resolve();
    await gone;
    throw signal.reason;
  };
  app.route({ method: "GET", url: "/slow", handler: slow });
  app.route({
    method: "GET",
    url: "/broken",
    handler: () => Promise.reject(new Error("it is broken")),
  });
  const answered = Promise.withResolvers<void>();
  app.addHook("onSend", async ({ url }) => {
    if (url === "/slow") answered.resolve();
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const sender = connect(Number(new URL(url).port), "127.0.0.1");
  sender.write("GET /slow HTTP/1.1\r\nHost: here\r\n\r\n");
  await begun.promise;
  sender.destroy();
  await answered.promise;
  await fetch(`${url}/broken`);
  await app.close();
  expect(errors).toMatchObject([{ path: "/broken", error: "it is broken" }]);
});

it("answers 503 without the database, which is no fault to look into", async () => {
  const warnings: unknown[] = [];
  const errors: unknown[] = [];
  const logger = {
    ...silentLogger,
    warn: (fields: unknown) => void warnings.push(fields),
    error: (fields: unknown) => void errors.push(fields),
  };
  const app = await createHttpServer("v1", { ...logger, child: () => logger });
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  app.route({ method: "GET", url: "/rows", handler: () => Promise.reject(refused) });
  const { statusCode, body } = await app.inject({ url: "/rows" });
  await app.close();
  expect([statusCode, JSON.parse(body)]).toEqual([
    503,
    { message: "The database is not available." },
  ]);
  expect(errors).toEqual([]);
  expect(warnings).toEqual([{ method: "GET", path: "/rows", error: "refused" }]);
});

/** Sends bytes on a separate connection; resolves to the response until the server closes. */
async function answerTo(bytes: string): Promise<{ head: string; body: unknown }> {
  const app = await createHttpServer("v1", silentLogger, { requestTimeoutMs: 200 });
  onTestFinished(() => app.close());
  const socket = connect(Number(new URL(await app.listen({ port: 0 })).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(bytes);
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
  return { head, body: JSON.parse(body) };
}

it.each([
  [
    "no request of HTTP",
    "hello\r\n\r\n",
    "400 Bad Request",
    { message: "The request is not valid HTTP.", detail: "Invalid method encountered." },
  ],
  [
    "two lengths of the body",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "400 Bad Request",
    {
      message: "The request is not valid HTTP.",
      detail: "Transfer-Encoding can't be present with Content-Length.",
    },
  ],
  [
    "a head that is too large",
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(20_000)}\r\n\r\n`,
    "431 Request Header Fields Too Large",
    { message: "The header fields of the request are too large." },
  ],
  [
    "a head that does not come to its end",
    "GET / HTTP/1.1\r\nHost: x\r\n",
    "408 Request Timeout",
    { message: "The request was not sent in time." },
  ],
])("answers %s with an error of the API", async (_what, bytes, status, body) => {
  const answer = await answerTo(bytes);
  expect(answer.head.split("\r\n")[0]).toBe(`HTTP/1.1 ${status}`);
  expect(answer.head).toContain("Content-Type: application/json; charset=utf-8");
  expect(answer.head).toContain("Connection: close");
  expect(answer.body).toEqual(body);
});

const methods = new AllowedMethods();
methods.add("GET", "/api/agents/:agent");
methods.add("DELETE", "/api/agents/:agent/logs");
methods.add("PATCH", "/api/agents/me/logs");

it.each([
  ["/api/agents/1", ["GET"]],
  ["/api//agents/1/", ["GET"]],
  ["/api/agents/me/logs", ["DELETE", "PATCH"]],
  ["/api/agents", []],
  ["/api/agents/1/logs/2", []],
  ["/", []],
])("knows the methods of %s", (path, expected) => {
  expect(methods.of(path)).toEqual(expected);
});
