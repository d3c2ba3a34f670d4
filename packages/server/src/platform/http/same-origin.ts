import type { FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";

type SiteRequest = Pick<FastifyRequest, "headers" | "method" | "protocol" | "host">;

/**
 * Returns whether a request comes from a page of another site, which may neither open our sockets nor change anything
 * with the visitor's cookie (docs/protocol/rest.md §1.8). Programs send no `Origin`. Scheme, host and port all count.
 */
export function isFromOtherSite(request: SiteRequest, accessUrl: string): boolean {
  const { headers, method } = request;
  const { origin } = headers;
  if (origin === undefined) return false;
  const isSafe = method === "GET" || method === "HEAD";
  if (isSafe && headers.upgrade === undefined) return false;
  const from = originOf(origin);
  return (
    from === undefined || (from !== askedOrigin(request, accessUrl) && from !== originOf(accessUrl))
  );
}

/**
 * Returns the origin that the visitor requested, as reported by a trusted proxy. At the host of an https access URL
 * this is https, because an untrusted proxy then terminates TLS.
 */
function askedOrigin({ protocol, host }: SiteRequest, accessUrl: string): string | undefined {
  const asked = originOf(`${protocol}://${host}`);
  const secure = originOf(`https://${host}`);
  return secure === originOf(accessUrl) ? secure : asked;
}

/** Returns whether a cookie is for https only: if the visitor, or the deployment's access URL, uses it. */
export function needsHttps(
  { protocol }: Pick<SiteRequest, "protocol">,
  accessUrl: string,
): boolean {
  return protocol === "https" || originOf(accessUrl)?.startsWith("https:") === true;
}

export function otherSite({ headers }: Pick<SiteRequest, "headers">): HttpError {
  return new HttpError(403, `The origin "${headers.origin ?? ""}" does not match this server.`);
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

/** A host with its port as browsers and `curl` send it: a name, an IPv4 address, or an IPv6 address in brackets. */
const hostForm =
  /^(?:[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * Returns the URL at which a server without a configured access URL was requested, for answers that only the requester
 * reads, such as a script or command that leads back. Nothing that is stored, redirects, or sets a cookie may use it: a
 * stranger chooses their own `Host`, but no one else's. Answers with it must not be cached for others.
 */
export function askedUrl(
  { protocol, host }: Pick<FastifyRequest, "protocol" | "host">,
  accessUrl: string,
): string {
  return hostForm.test(host) ? `${protocol}://${host}` : accessUrl;
}
