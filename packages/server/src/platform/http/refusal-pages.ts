import type { IncomingMessage } from "node:http";

import type { FastifyReply, FastifyRequest } from "fastify";

import type { SeveralSessions } from "../errors/errors.ts";
import { answerOf } from "./error-answer.ts";
import { escapeHtml, htmlPage, sendPage } from "./html-page.ts";

/** The paths that programs read, including those that run in a browser. */
const programPaths = /^\/+(api|bin|derp|\.well-known)(\/|\?|$)/;

/** Returns whether an unknown path was opened in a browser, by a person. */
export function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  return (headers.accept?.includes("text/html") ?? false) && !programPaths.test(url);
}

/** Sends the page for an unknown path. */
export function sendNotFoundPage(reply: FastifyReply): FastifyReply {
  reply.header("Vary", ["Origin", "Cookie", "Accept"]);
  return sendPage(reply, 404, notFoundPage);
}

const notFoundPage = htmlPage(
  "There is no such page",
  `<h1>There is no such page</h1>
<p>The address may be mistyped, or the page may have moved.</p>
<p><a class="next" href="/">Go to the start page</a></p>`,
);

/** Sends the page for a browser with several sessions, which deletes them. */
export function sendSeveralSessions(reply: FastifyReply, refusal: SeveralSessions): FastifyReply {
  const { status, headers } = answerOf(refusal);
  const { message, detail = "" } = refusal;
  const html = htmlPage(
    "Several sessions",
    `<h1>Several sessions</h1>
<p role="alert"><strong>${escapeHtml(message)}</strong></p>
<p>${escapeHtml(detail)}</p>
<p><a href="/login">Log in</a></p>`,
  );
  return sendPage(reply.headers(headers).header("Cache-Control", "no-store"), status, html);
}

/** Returns whether a person sees the answer. Older browsers do not say so, but request HTML. */
export function isNavigation({
  method,
  headers,
}: Pick<IncomingMessage, "method" | "headers">): boolean {
  if ((method !== "GET" && method !== "HEAD") || headers.upgrade !== undefined) return false;
  const mode = headers["sec-fetch-mode"];
  if (mode !== undefined) return mode === "navigate";
  return headers.accept?.includes("text/html") ?? false;
}
