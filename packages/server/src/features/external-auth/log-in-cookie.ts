import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { generateRandomCodeVerifier, generateRandomState } from "oauth4webapi";

import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import { localPath } from "../../platform/fields/local-path.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import type { BegunLogIn } from "./oauth-client.ts";
import { type Provider, providerPath } from "./provider.ts";

const cookieName = "slipway_external_auth";
/** The time for a person to log in at the provider. */
const logInSeconds = 15 * 60;
/** The maximum length of the path to continue to after a login; a longer one is replaced. */
const maxPathLength = 1024;

type Visitor = Pick<UserCaller, "id" | "keyId">;

interface CookieNeeds {
  readonly notes: SealedNotes;
  readonly accessUrl: () => string;
}

/** A login in progress, and the path to continue to. */
interface OpenLogIn extends BegunLogIn {
  readonly path: string;
}

/**
 * Begins a login: its state and its PKCE verifier (RFC 7636) are in an encrypted cookie that only the session which began
 * it can use, once, and for this provider.
 */
export async function beginLogIn(
  { notes, accessUrl }: CookieNeeds,
  visitor: Visitor,
  provider: Provider,
  { path, request, reply }: PageRequest & { readonly path: string },
): Promise<BegunLogIn> {
  const begun = {
    state: generateRandomState(),
    verifier: generateRandomCodeVerifier(),
    redirectUri: redirectUriOf(provider, accessUrl()),
  };
  const note = { ...begun, path: path.length > maxPathLength ? "/" : path };
  const key = { userId: visitor.id, purpose: purposeOf(provider, visitor), seconds: logInSeconds };
  const value = await notes.seal(note, key);
  setCookie(reply, provider, { value, secure: needsHttps(request, accessUrl()) });
  return begun;
}

interface PageRequest {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Ends the login that a browser began, and returns it; undefined if it began none, or as another session. */
export async function endLogIn(
  { notes, accessUrl }: CookieNeeds,
  visitor: Visitor,
  provider: Provider,
  { request, reply }: PageRequest,
): Promise<OpenLogIn | undefined> {
  const text = parseCookie(request.headers.cookie ?? "")[cookieName] ?? "";
  setCookie(reply, provider, { value: "", secure: needsHttps(request, accessUrl()) });
  const key = { userId: visitor.id, purpose: purposeOf(provider, visitor) };
  const note = text === "" ? undefined : await notes.open(text, key);
  const { state, verifier, redirectUri, path } = note ?? {};
  if (typeof state !== "string" || typeof verifier !== "string") return undefined;
  if (typeof redirectUri !== "string" || typeof path !== "string") return undefined;
  return { state, verifier, redirectUri, path: localPath(path) };
}

/** Returns the address to which a provider sends browsers back. Each has its own, so answers cannot be confused. */
function redirectUriOf(provider: Provider, accessUrl: string): string {
  return `${accessUrl}${providerPath(provider)}/callback`;
}

function purposeOf({ id }: Provider, { keyId }: Visitor): string {
  return `login of ${keyId} to ${id}`;
}

function setCookie(
  reply: FastifyReply,
  provider: Provider,
  { value, secure }: { readonly value: string; readonly secure: boolean },
): void {
  const cookie = stringifySetCookie({
    name: cookieName,
    value,
    path: providerPath(provider),
    httpOnly: true,
    // The provider's page sends the browser back.
    sameSite: "lax",
    secure,
    maxAge: value === "" ? 0 : logInSeconds,
  });
  reply.header("Set-Cookie", cookie);
}
