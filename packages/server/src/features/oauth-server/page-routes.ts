import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { findBrowserUser } from "../../platform/auth/browser-user.ts";
import { mayHandOn } from "../../platform/auth/grants.ts";
import { isOwnForm, sealFormNonce, type SealedNotes } from "../../platform/auth/sealed-notes.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import type { KnownUser, UserCaller } from "../../platform/http/caller.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import {
  answerUrl,
  type AuthorizationRequest,
  readAuthorizationRequest,
} from "./authorization-request.ts";
import { OauthError } from "./errors.ts";
import { grantAccess, type GrantNeeds, refuseAccess } from "./grant-service.ts";
import { consentPage, refusedPage, returningPage } from "./pages.ts";

export interface ConsentNeeds extends Pick<GrantNeeds, "db"> {
  readonly notes: SealedNotes;
  readonly holders: Pick<KeyHolders, "ofToken">;
  readonly limits: RequestLimits;
  readonly accessUrl: () => string;
  /** Returns the URL by which the sender of a request knows the server. */
  readonly urlFor: (request: FastifyRequest) => string;
}

export const authorizePath = "/oauth2/authorize";

/** A valid request, and the user in whose browser it arrived. */
interface Visit {
  readonly user: UserCaller;
  readonly asked: AuthorizationRequest;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/**
 * Adds the page at which users let programs act for them (RFC 6749 §4.1). It always asks, because any program may call itself
 * anything, and leaves the server only after an answer: a redirect for a faulty request would lead anyone anywhere.
 */
export function addConsentPage(app: FastifyInstance, needs: ConsentNeeds): void {
  const { notes } = needs;
  app.get(authorizePath, async (request, reply) => {
    const at = await receive(needs, request, reply);
    if (at === undefined) return reply;
    const { user, asked } = at;
    const { url: action } = request;
    const nonce = await sealFormNonce(notes, user, action);
    return sendPage(reply, 200, consentPage(asked, { action, username: user.username, nonce }));
  });

  app.post(authorizePath, { config: { rawBody: true } }, async (request, reply) => {
    const at = await receive(needs, request, reply);
    if (at === undefined) return reply;
    const form = readForm(request);
    const nonce = form.get("nonce") ?? "";
    if (!(await isOwnForm(notes, at.user, { path: request.url, nonce }))) {
      return sendPage(reply, 403, refusedPage("this form has expired; start again", undefined));
    }
    return decide(needs, at, form.get("decision"));
  });
}

/** Returns the form fields of a request's body. */
export function readForm({ body }: FastifyRequest): URLSearchParams {
  return new URLSearchParams(Buffer.from(body instanceof Uint8Array ? body : []).toString("utf8"));
}

/** Reads a request and finds its user; answers a faulty one, and sends a browser without a session to log in. */
async function receive(
  needs: ConsentNeeds,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Visit | undefined> {
  needs.limits.countPage(authorizePath, request, reply);
  reply.header("Cache-Control", "no-store");
  const url = needs.urlFor(request);
  const { searchParams } = new URL(request.url, "http://server");
  const reading = await readAuthorizationRequest(needs.notes, searchParams, [
    url,
    needs.accessUrl(),
  ]);
  if (reading.type === "invalid") {
    const { error, answerTo } = reading;
    const back = answerTo === undefined ? undefined : answerUrl(answerTo, { error }, url);
    sendPage(reply, 400, refusedPage(error.message, back));
    return undefined;
  }
  const user = await findBrowserUser(needs, request);
  if (user === undefined || !mayGrant(user, reading.request)) {
    reply.redirect(`/login?${new URLSearchParams({ redirect: request.url }).toString()}`, 303);
    return undefined;
  }
  const caller = { ...user, origin: originOf(request, 200) };
  return { user: caller, asked: reading.request, request, reply };
}

/**
 * Returns whether a session is that of a person who has the rights to grant: a token is not a person, and a session that
 * another user created may be in their hands.
 */
function mayGrant({ grant, keyCreatedBy }: KnownUser, { scopes }: AuthorizationRequest): boolean {
  if (grant.secondsLeft !== undefined || keyCreatedBy !== undefined) return false;
  return mayHandOn(grant, { scopes, allowList: ["*:*"] });
}

async function decide(
  needs: ConsentNeeds,
  { user, asked, request, reply }: Visit,
  decision: string | null,
): Promise<FastifyReply> {
  const isAllowed = decision === "allow";
  const answer = isAllowed
    ? { code: await grantAccess(needs, user, asked) }
    : { error: new OauthError("access_denied", "the user denied access") };
  if (!isAllowed) await refuseAccess(needs, user, asked);
  const url = answerUrl(asked, answer, needs.urlFor(request));
  // A page rather than a redirect: browsers forbid redirects of a form to another host.
  reply.header("Refresh", `0; url=${url}`);
  return sendPage(reply, 200, returningPage(asked, { url, isAllowed }));
}
