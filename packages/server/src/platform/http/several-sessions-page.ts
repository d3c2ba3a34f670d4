import type { FastifyReply } from "fastify";

import type { SeveralSessions } from "../errors/errors.ts";
import { answerOf } from "./error-answer.ts";
import { escapeHtml, htmlPage, sendPage } from "./html-page.ts";

/** Sends the page for a browser with several sessions, which deletes them. */
export function sendSeveralSessions(reply: FastifyReply, refusal: SeveralSessions): FastifyReply {
  const { status, headers } = answerOf(refusal);
  const { message, detail = "" } = refusal;
  const page = htmlPage(
    "Several sessions",
    `<h1>Several sessions</h1>
<p role="alert"><strong>${escapeHtml(message)}</strong></p>
<p>${escapeHtml(detail)}</p>
<p><a href="/login">Log in</a></p>`,
  );
  return sendPage(reply.headers(headers).header("Cache-Control", "no-store"), status, page);
}
