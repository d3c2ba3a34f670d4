import { once } from "node:events";
import { connect } from "node:net";

import { silentLogger } from "@slipway/runtime";
import type { FastifyRequest } from "fastify";
import { expect, it } from "vitest";

import { watchClient } from "./client-disconnect.ts";
import { createHttpServer } from "./http-server.ts";

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
