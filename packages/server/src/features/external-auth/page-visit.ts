import type { FastifyReply, FastifyRequest } from "fastify";

import { findBrowserUser } from "../../platform/auth/browser-user.ts";
import { holdsEntry, holdsScope } from "../../platform/auth/grants.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import { localPath } from "../../platform/fields/local-path.ts";
import type { KnownUser, UserCaller } from "../../platform/http/caller.ts";
import { watchClient } from "../../platform/http/client-disconnect.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import type { DeviceNeeds } from "./device-service.ts";
import { unknownPage } from "./pages.ts";
import type { Provider } from "./provider.ts";

export interface ExternalAuthPageNeeds extends DeviceNeeds {
  readonly holders: KeyHolders;
  readonly limits: RequestLimits;
  readonly accessUrl: () => string;
}

/** A request of a person who has a session, to the page of a provider. */
export interface Visit {
  readonly user: UserCaller;
  readonly provider: Provider;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
}

/**
 * Wraps the handlers of visits: a request without a session is sent to log in, one for an unknown provider gets a page that
 * says so.
 */
export function visitor(needs: ExternalAuthPageNeeds) {
  return (path: string, answer: (at: Visit) => Promise<FastifyReply>): Handler =>
    async (request, reply) => {
      needs.limits.countPage(path, request, reply);
      reply.header("Cache-Control", "no-store");
      const user = await findUser(needs, request);
      if (user === undefined) {
        // Without the query: it may hold a code, which is useless to a session that did not begin the login.
        const back = new URLSearchParams({ redirect: pathOf(request) });
        return reply.redirect(`/login?${back.toString()}`, 303);
      }
      const provider = needs.providers.byId(providerIdOf(request));
      if (provider === undefined) return sendPage(reply, 404, unknownPage());
      using client = watchClient(request);
      const caller = { ...user, origin: originOf(request, 303) };
      return await answer({ user: caller, provider, request, reply, signal: client.signal });
    };
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Returns the user of the session cookie, if their key allows them to change their account. */
async function findUser(
  needs: ExternalAuthPageNeeds,
  request: FastifyRequest,
): Promise<KnownUser | undefined> {
  const user = await findBrowserUser(needs, request);
  if (user === undefined) return undefined;
  const { scopes, allowList } = user.grant;
  const mayChange = holdsScope(scopes, "user:update_personal");
  return mayChange && holdsEntry(allowList, `user:${user.id}`) ? user : undefined;
}

function providerIdOf({ params }: FastifyRequest): string {
  const isNamed = typeof params === "object" && params !== null && "provider" in params;
  return isNamed ? String(params.provider) : "";
}

export function pathOf(request: FastifyRequest): string {
  return `/external-auth/${encodeURIComponent(providerIdOf(request))}`;
}

/** Returns the address of the provider's page, with the path to continue to after the login. */
export function actionOf(request: FastifyRequest): string {
  const path = redirectOf(request);
  return path === undefined
    ? pathOf(request)
    : `${pathOf(request)}?${new URLSearchParams({ redirect: path }).toString()}`;
}

export function redirectOf({ url }: FastifyRequest): string | undefined {
  const redirect = new URL(url, "http://server").searchParams.get("redirect");
  return redirect === null ? undefined : localPath(redirect);
}

export function readForm({ body }: FastifyRequest): URLSearchParams {
  return new URLSearchParams(Buffer.from(body instanceof Uint8Array ? body : []).toString("utf8"));
}
