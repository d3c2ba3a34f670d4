import type { IncomingMessage } from "node:http";

/** Returns whether a person sees the answer: older browsers do not say so, but ask for HTML. */
export function isNavigation({
  method,
  headers,
}: Pick<IncomingMessage, "method" | "headers">): boolean {
  if ((method !== "GET" && method !== "HEAD") || headers.upgrade !== undefined) return false;
  const mode = headers["sec-fetch-mode"];
  if (mode !== undefined) return mode === "navigate";
  return headers.accept?.includes("text/html") ?? false;
}
