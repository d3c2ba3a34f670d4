import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import { findClient, type OauthClient } from "./clients.ts";
import { OauthError } from "./errors.ts";
import { findParameter, readParameter, requireOwnResource } from "./parameters.ts";
import { isSameRedirectUri } from "./redirect-uri.ts";
import { readScopes } from "./scopes.ts";

/** The receiver of an answer, which is checked before anything else is said to it. */
interface AnswerAddress {
  readonly redirectUri: string;
  /** A value that the program recognizes its request by. */
  readonly state: string | undefined;
}

/** A request of a program to act for a user. */
export interface AuthorizationRequest extends AnswerAddress {
  readonly client: OauthClient;
  readonly clientId: string;
  readonly codeChallenge: string;
  readonly scopes: ReturnType<typeof readScopes>;
}

/** A request, or the reason why there is none, with the address at which the program may be told. */
type AuthorizationReading =
  | { readonly type: "valid"; readonly request: AuthorizationRequest }
  | {
      readonly type: "invalid";
      readonly error: OauthError;
      readonly answerTo: AnswerAddress | undefined;
    };

/** Reads the query of a request; `urls` are those by which the server is known. */
export async function readAuthorizationRequest(
  notes: SealedNotes,
  query: URLSearchParams,
  urls: readonly string[],
): Promise<AuthorizationReading> {
  let answerTo: AnswerAddress | undefined;
  try {
    const clientId = readParameter(query, "client_id");
    const client = await findClient(notes, clientId);
    if (client === undefined) {
      throw new OauthError(
        "invalid_client",
        "the program is not registered here, or its registration has expired; make it forget this server, and connect again",
      );
    }
    const redirectUri = readRedirectUri(query, client);
    answerTo = { redirectUri, state: findParameter(query, "state") };
    requireCode(query);
    requireOwnResource(query, urls);
    const codeChallenge = readCodeChallenge(query);
    const scopes = readScopes(findParameter(query, "scope"));
    return {
      type: "valid",
      request: { ...answerTo, client, clientId, codeChallenge, scopes },
    };
  } catch (error) {
    if (!(error instanceof OauthError)) throw error;
    return { type: "invalid", error, answerTo };
  }
}

function readRedirectUri(query: URLSearchParams, { redirectUris }: OauthClient): string {
  const requested = readParameter(query, "redirect_uri");
  if (redirectUris.some((uri) => isSameRedirectUri(requested, uri))) return requested;
  throw new OauthError("invalid_request", "redirect_uri is not one that the program registered");
}

function requireCode(query: URLSearchParams): void {
  const type = readParameter(query, "response_type");
  if (type !== "code") {
    throw new OauthError("unsupported_response_type", "wanted the response_type code");
  }
  const mode = findParameter(query, "response_mode") ?? "query";
  if (mode !== "query") throw new OauthError("invalid_request", "wanted the response_mode query");
}

/** Reads the challenge of RFC 7636, whose method may not be `plain`: it would show the verifier to everyone. */
function readCodeChallenge(query: URLSearchParams): string {
  const challenge = readParameter(query, "code_challenge");
  if (findParameter(query, "code_challenge_method") !== "S256") {
    throw new OauthError("invalid_request", "wanted the code_challenge_method S256");
  }
  if (/^[\w-]{43}$/.test(challenge)) return challenge;
  throw new OauthError("invalid_request", "code_challenge is not a SHA-256 hash in base64url");
}

/** The answer to a request: a code, or an error. */
type AuthorizationAnswer = { readonly code: string } | { readonly error: OauthError };

/** Returns the address with the answer; `issuer` tells the program who answers (RFC 9207). */
export function answerUrl(
  { redirectUri, state }: AnswerAddress,
  answer: AuthorizationAnswer,
  issuer: string,
): string {
  const url = new URL(redirectUri);
  if ("code" in answer) url.searchParams.set("code", answer.code);
  else {
    url.searchParams.set("error", answer.error.code);
    url.searchParams.set("error_description", answer.error.message);
  }
  if (state !== undefined) url.searchParams.set("state", state);
  url.searchParams.set("iss", issuer);
  return url.href;
}
