import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import fastify from "fastify";
import { expect, it, onTestFinished } from "vitest";

import { NotFound } from "../errors/errors.ts";
import { Dashboard } from "./dashboard.ts";

async function openSite() {
  const directory = await mkdtemp(join(tmpdir(), "slipway-site-"));
  await mkdir(join(directory, "assets"));
  await writeFile(join(directory, "index.html"), "page");
  for (const name of ["kept.js", "gone.js"]) await writeFile(join(directory, "assets", name), name);
  const dashboard = await Dashboard.open(pathToFileURL(`${directory}/`));
  if (dashboard === undefined) throw new Error("the site has no page");
  const app = fastify();
  app.setErrorHandler((error, _, reply) =>
    reply.code(error instanceof NotFound ? 404 : 500).send(),
  );
  app.get("/*", (request, reply) => dashboard.sendFile(request, reply, request.url.slice(1)));
  onTestFinished(async () => {
    await app.close();
    await rm(directory, { recursive: true });
  });
  return { app, directory };
}

it("has browsers keep files, but not the absence of one that an upgrade has removed", async () => {
  const { app, directory } = await openSite();
  await rm(join(directory, "assets", "gone.js"));
  const kept = await app.inject("/assets/kept.js");
  expect(kept).toMatchObject({ statusCode: 200, body: "kept.js" });
  expect(kept.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  for (const name of ["gone.js", "never.js"]) {
    const { statusCode, headers } = await app.inject(`/assets/${name}`);
    expect(statusCode).toBe(404);
    expect(headers["cache-control"]).toBeUndefined();
  }
});

it("sends a file from memory once it was read", async () => {
  const { app, directory } = await openSite();
  await app.inject("/assets/gone.js");
  await rm(join(directory, "assets", "gone.js"));
  expect(await app.inject("/assets/gone.js")).toMatchObject({ statusCode: 200, body: "gone.js" });
});
