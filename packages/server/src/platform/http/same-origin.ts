import type { FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";

type Asked = Pick<FastifyRequest, "headers" | "method" | "protocol" | "host">;

/**
 * Whether a request comes from a page of another site: it may not open our sockets nor change anything with the visitor's
 * cookie (docs/protocol/rest.md §1.8). Programs send no `Origin`. Scheme, host and port all count.
 */
export function isFromOtherSite(request: Asked, accessUrl: string): boolean {
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
 * The origin that the visitor asked for, as a trusted proxy tells it. At the host of an access URL with https this is
 * https, for then a proxy that is not trusted speaks it with the visitor.
 */
function askedOrigin({ protocol, host }: Asked, accessUrl: string): string | undefined {
  const asked = originOf(`${protocol}://${host}`);
  const secure = originOf(`https://${host}`);
  return secure === originOf(accessUrl) ? secure : asked;
}

/** The end of a cookie, which keeps it to https if the visitor speaks that, or the deployment is reached by it. */
export function secureAttribute({ protocol }: Pick<Asked, "protocol">, accessUrl: string): string {
  return protocol === "https" || originOf(accessUrl)?.startsWith("https:") ? "; Secure" : "";
}

export function otherSite({ headers }: Pick<Asked, "headers">): HttpError {
  return new HttpError(403, `Origin "${headers.origin ?? ""}" is not this server.`);
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
