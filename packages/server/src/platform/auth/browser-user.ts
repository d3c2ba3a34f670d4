import type { FastifyRequest } from "fastify";

import type { KnownUser } from "../http/caller.ts";
import { needsHttps } from "../http/same-origin.ts";
import { findSessionCookie } from "../http/token.ts";
import type { KeyHolders } from "./service.ts";

interface BrowserNeeds {
  readonly holders: Pick<KeyHolders, "ofToken">;
  readonly accessUrl: () => string;
}

/**
 * Returns the user of the session cookie, for pages: requests with other credentials come from no browser. Throws
 * `SeveralSessions`.
 */
export async function findBrowserUser(
  { holders, accessUrl }: BrowserNeeds,
  request: FastifyRequest,
): Promise<KnownUser | undefined> {
  const token = findSessionCookie(request, needsHttps(request, accessUrl()));
  return token === undefined ? undefined : holders.ofToken(token);
}
