import type { FastifyReply, FastifyRequest } from "fastify";

import { htmlPage, sendPage } from "./html-page.ts";

/** What programs read, also those that run in a browser. */
const programPaths = /^\/+(api|bin|derp|\.well-known)(\/|\?|$)/;

/** Reports whether an unknown path was opened in a browser, by a person. */
export function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  return (headers.accept?.includes("text/html") ?? false) && !programPaths.test(url);
}

/** Sends the page for an unknown path. */
export function sendNotFoundPage(reply: FastifyReply): FastifyReply {
  reply.header("Vary", ["Origin", "Cookie", "Accept"]);
  return sendPage(reply, 404, page);
}

const page = htmlPage(
  "Page not found",
  `<h1>Page not found</h1>
<p>This server has no page at this address.</p>
<p><a href="/">Go to the start page</a></p>`,
);
