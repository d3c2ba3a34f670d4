import { type Clock, numberOf, objectOf, textOf } from "@slipway/runtime";
import { stringifySetCookie } from "cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { randomNonce, randomPKCECodeVerifier, randomState } from "openid-client";

import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import { localPath } from "../../platform/fields/local-path.ts";
import { cookieValues, hostCookieName } from "../../platform/http/cookies.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import type { BegunLogIn } from "./log-in-client.ts";
import { logInPath, type Provider } from "./providers.ts";

const cookieName = "slipway_login";
/** The time for a person to log in at the provider. */
export const logInSeconds = 15 * 60;
/** The maximum length of the path to continue to after a login; a longer one is replaced. */
const maxPathLength = 1024;
/** The subject of notes of people who are not logged in yet. */
const anyone = "anyone";

export interface PendingNeeds {
  readonly notes: SealedNotes;
  readonly clock: Pick<Clock, "now">;
  readonly accessUrl: () => string;
}

/** The purpose of a login: a session, the conversion of a user with a password, who has this session, or an owner's test. */
export type Aim =
  | { readonly type: "session" }
  | { readonly type: "conversion"; readonly userId: string; readonly keyId: string }
  | { readonly type: "test"; readonly testId: string };

/** A login in progress, and the path to continue to. */
export interface PendingLogIn extends BegunLogIn {
  readonly aim: Aim;
  readonly path: string;
  /** The time at which it began, in milliseconds since 1970. */
  readonly beganAtMs: number;
}

interface PageRequest {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/**
 * Begins a login: its secrets are in an encrypted cookie of the browser, for this provider and a short time, so that strangers
 * who begin logins take no room here. Over https, no page of another host can set the cookie.
 */
export async function beginLogIn(
  { notes, clock, accessUrl }: PendingNeeds,
  provider: Provider,
  { aim, path, request, reply }: PageRequest & Pick<PendingLogIn, "aim" | "path">,
): Promise<PendingLogIn> {
  const pending = {
    state: randomState(),
    nonce: randomNonce(),
    verifier: randomPKCECodeVerifier(),
    redirectUri: `${accessUrl()}${logInPath(provider)}/callback`,
    aim,
    path: path.length > maxPathLength ? "/" : path,
    beganAtMs: clock.now(),
  };
  const key = { userId: anyone, purpose: purposeOf(provider), seconds: logInSeconds };
  const value = await notes.seal({ ...pending }, key);
  setCookie(reply, { value, secure: needsHttps(request, accessUrl()) });
  return pending;
}

/** Ends the login that a browser began, and returns it; undefined if it began none at this provider, or several. */
export async function endLogIn(
  { notes, accessUrl }: PendingNeeds,
  provider: Provider,
  { request, reply }: PageRequest,
): Promise<PendingLogIn | undefined> {
  const secure = needsHttps(request, accessUrl());
  setCookie(reply, { value: "", secure });
  const name = hostCookieName(cookieName, secure);
  const [text, ...others] = new Set(cookieValues(request.headers.cookie, name));
  if (text === undefined || others.length > 0) return undefined;
  const note = await notes.open(text, { userId: anyone, purpose: purposeOf(provider) });
  const { state, nonce, verifier, redirectUri, path, aim, beganAtMs } = note ?? {};
  if (typeof state !== "string" || typeof nonce !== "string") return undefined;
  if (typeof verifier !== "string" || typeof redirectUri !== "string") return undefined;
  return {
    state,
    nonce,
    verifier,
    redirectUri,
    path: localPath(String(path)),
    aim: readAim(aim),
    beganAtMs: numberOf(beganAtMs),
  };
}

function readAim(value: unknown): Aim {
  const { type, userId, keyId, testId } = objectOf(value);
  if (type === "conversion") return { type, userId: textOf(userId), keyId: textOf(keyId) };
  return type === "test" ? { type, testId: textOf(testId) } : { type: "session" };
}

function purposeOf({ id }: Provider): string {
  return `login at ${id}`;
}

function setCookie(
  reply: FastifyReply,
  { value, secure }: { readonly value: string; readonly secure: boolean },
): void {
  const cookie = stringifySetCookie({
    name: hostCookieName(cookieName, secure),
    value,
    path: "/",
    httpOnly: true,
    // The provider's page sends the browser back.
    sameSite: "lax",
    secure,
    maxAge: value === "" ? 0 : logInSeconds,
  });
  reply.header("Set-Cookie", cookie);
}
