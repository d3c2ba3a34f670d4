import { type IncomingMessage, STATUS_CODES, type ServerResponse } from "node:http";

import { printableLine } from "@slipway/runtime";

import { escapeHtml, htmlPage, pageHeaders } from "../../platform/http/html-page.ts";
import { encodeJson } from "../../platform/http/json.ts";

/** A page, or its text for programs, in the place of an app. */
export interface AppPage {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  /** The steps that help, for people; a command or a setting is between backticks. */
  readonly advice?: readonly string[];
  /** The address to open next. */
  readonly next?: { readonly text: string; readonly url: string };
  /** The reason in technical terms. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** Sends a page, or the same as JSON to a client that asks for it. */
export function sendAppPage(
  request: IncomingMessage,
  response: ServerResponse,
  page: AppPage,
): void {
  if (response.headersSent) return void response.destroy();
  const isJson = wantsJson(request);
  const text = isJson ? encodeJson(jsonOf(page)) : htmlOf(page);
  // Nothing reads the rest of the request; a client over its limit also loses the requests that it sent ahead.
  if (!request.complete || page.status === 429) response.shouldKeepAlive = false;
  response.writeHead(page.status, STATUS_CODES[page.status], {
    ...pageHeaders,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    Vary: "Accept, Cookie",
    ...page.headers,
    "Content-Type": `${isJson ? "application/json" : "text/html"}; charset=utf-8`,
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(request.method === "HEAD" ? "" : text);
}

function wantsJson({ headers: { accept = "" } }: IncomingMessage): boolean {
  return accept.includes("application/json") && !accept.includes("text/html");
}

function jsonOf({ title, text, detail }: AppPage): object {
  return { message: `${title}. ${text}`, ...(detail === undefined ? {} : { detail }) };
}

function htmlOf({ title, text, advice = [], next, detail }: AppPage): string {
  const steps = advice.map((step) => `<li>${stepHtml(step)}</li>`).join("\n");
  return htmlPage(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${steps === "" ? "" : `<ul>\n${steps}\n</ul>`}
${next === undefined ? "" : `<p><a href="${escapeHtml(next.url)}">${escapeHtml(next.text)}</a></p>`}
${detail === undefined ? "" : `<p><small>Reason: <code>${escapeHtml(printableLine(detail))}</code></small></p>`}`,
  );
}

function stepHtml(step: string): string {
  return escapeHtml(step).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}
