import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { contract } from "@slipway/api/contract";
import { getOpenApi } from "@slipway/api/deployment/routes";
import { describeApiInSteps } from "@slipway/api/openapi/document";
import { LoopTurn } from "@slipway/runtime";
import type { FastifyInstance } from "fastify";

import { type FixedAnswer, fixedAnswer, sendFixed } from "../../platform/http/fixed-answer.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { readOnce } from "../../platform/read-once.ts";

/** The time of a turn of the event loop that the description may take; the whole takes more than a turn may last. */
const maxTurnMs = 2;

/** Adds the description of the API, built from the very routes and schemas that the server validates with. */
export function addOpenApiRoutes(routes: Routes, version: string): void {
  routes.anyoneFixed(getOpenApi, async () => {
    const turn = new LoopTurn(maxTurnMs);
    const steps = describeApiInSteps(contract, version.replace(/^v/, ""));
    for (;;) {
      const step = steps.next();
      if (step.done === true) return { ...step.value };
      if (turn.isOver) await nextTurn();
    }
  });
}

const docsPath = "/api/v2/docs";

/** The policy that allows only the page's own files: the page works without the internet, and content of a schema cannot run. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slipway API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/v2/docs/swagger-ui.css">
</head>
<body>
<main id="api">The description itself is at <a href="/api/v2/openapi.json">openapi.json</a>.</main>
<script src="/api/v2/docs/swagger-ui-bundle.js"></script>
<script src="/api/v2/docs/start.js"></script>
</body>
</html>
`;

const start = `SwaggerUIBundle({
  url: "/api/v2/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
});
`;

const assets = fileURLToPath(new URL("static", import.meta.resolve("@fastify/swagger-ui")));
const assetTypes = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
} as const;

/** Adds the browsable form of the API's description, at `/api/v2/docs`. */
export function addDocsPage(app: FastifyInstance, limits: RequestLimits): void {
  const add = (
    path: string,
    headers: Record<string, string>,
    read: () => Promise<FixedAnswer>,
  ): void => {
    const answer = readOnce(read);
    app.get(path, async (request, reply) => {
      limits.countPage(docsPath, request, reply);
      return sendFixed(request, reply.headers(headers), await answer());
    });
  };
  add(docsPath, { "Content-Security-Policy": contentSecurityPolicy }, async () =>
    fixedAnswer("text/html; charset=utf-8", page),
  );
  add(`${docsPath}/start.js`, {}, async () => fixedAnswer("text/javascript; charset=utf-8", start));
  for (const [name, type] of Object.entries(assetTypes)) {
    add(`${docsPath}/${name}`, { "Cache-Control": "public, max-age=3600" }, async () =>
      fixedAnswer(type, await readFile(join(assets, name))),
    );
  }
}
