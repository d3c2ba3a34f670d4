import type { FastifyRequest } from "fastify";

/** A host with its port as browsers and `curl` send it: a name, an IPv4 address, or an IPv6 address in brackets. */
const hostForm =
  /^(?:[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * Returns the URL at which a server without a configured access URL was asked, for what only the asker reads: a script or a
 * command that leads back. Nothing that is stored, redirects, or sets a cookie may use it: a stranger chooses their own `Host`,
 * but nobody else's. Answers with it must not be cached for others.
 */
export function askedUrl(
  { protocol, host }: Pick<FastifyRequest, "protocol" | "host">,
  accessUrl: string,
): string {
  return hostForm.test(host) ? `${protocol}://${host}` : accessUrl;
}
