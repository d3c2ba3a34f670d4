import type { Clock } from "@slipway/runtime";
import { createRemoteJWKSet, type JWTVerifyGetKey, customFetch as keyFetch } from "jose";
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  type Configuration,
  type CustomFetch,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  refreshTokenGrant,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from "openid-client";

import type { LogInProvider } from "../../platform/config/login-settings.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";
import type { ProviderFetch } from "../../platform/providers/provider-fetch.ts";
import { LogInError } from "./errors.ts";
import type {
  BegunLogIn,
  CheckedLogIn,
  LogInClient,
  LogInOptions,
  LogInTokens,
  ProvenLogIn,
} from "./log-in-client.ts";
import { type LogOutDemand, readLogOutToken } from "./log-out-token.ts";

/** The time for which the metadata of a provider is used without asking again. */
const metadataMs = 3600 * 1000;
/** The difference between the provider's clock and ours that tokens may have. */
const toleranceSeconds = 60;

interface OidcNeeds {
  readonly fetch: ProviderFetch;
  readonly clock: Pick<Clock, "now" | "monotonic">;
}

interface Metadata {
  readonly configuration: Configuration;
  readonly readAtMs: number;
}

/** The requests to a provider of OpenID Connect. Its metadata is read at the first login, not at the start. */
export class OidcClient implements LogInClient {
  readonly #provider: LogInProvider;
  readonly #fetch: ProviderFetch;
  readonly #clock: OidcNeeds["clock"];
  #metadata: Metadata | undefined;
  #reading: Promise<Configuration> | undefined;
  #keySet: { readonly address: string; readonly keys: JWTVerifyGetKey } | undefined;

  constructor(provider: LogInProvider, { fetch, clock }: OidcNeeds) {
    this.#provider = provider;
    this.#fetch = fetch;
    this.#clock = clock;
  }

  logInUrl(begun: BegunLogIn, { asksAgain }: LogInOptions): Promise<URL> {
    return orLogInError(async () => {
      const { scopes } = this.#provider;
      // Without consent, providers ignore that scope (OpenID Connect Core 1.0 section 11).
      const consents = scopes.includes("offline_access");
      const prompts = [...(asksAgain ? ["login"] : []), ...(consents ? ["consent"] : [])];
      return buildAuthorizationUrl(await this.#configuration(), {
        redirect_uri: begun.redirectUri,
        scope: scopes.join(" "),
        state: begun.state,
        nonce: begun.nonce,
        code_challenge: await calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: "S256",
        ...(prompts.length === 0 ? {} : { prompt: prompts.join(" ") }),
      });
    });
  }

  complete(answer: URLSearchParams, begun: BegunLogIn): Promise<ProvenLogIn> {
    return orLogInError(async () => {
      const configuration = await this.#configuration();
      const answered = new URL(begun.redirectUri);
      answered.search = answer.toString();
      // Also compares the issuer in the answer, if the provider sends one (RFC 9207).
      const response = await authorizationCodeGrant(configuration, answered, {
        expectedState: begun.state,
        expectedNonce: begun.nonce,
        pkceCodeVerifier: begun.verifier,
        idTokenExpected: true,
      });
      const claims = response.claims();
      if (claims === undefined) throw new LogInError("failed", "no ID token");
      const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined;
      const userInfo = hasUserInfo
        ? await fetchUserInfo(configuration, response.access_token, claims.sub)
        : {};
      return { claims: { ...claims, ...userInfo }, tokens: tokensOf(response) };
    });
  }

  async check(tokens: LogInTokens): Promise<CheckedLogIn> {
    const { refreshToken } = tokens;
    if (refreshToken === undefined) return { type: "valid", tokens, claims: undefined };
    return orLogInError(async () => {
      try {
        const response = await refreshTokenGrant(await this.#configuration(), refreshToken);
        // A provider that does not rotate refresh tokens, or answers without an ID token, leaves the last one in use.
        const {
          refreshToken: rotated = refreshToken,
          idToken = tokens.idToken,
          ...rest
        } = tokensOf(response);
        const kept = { ...rest, refreshToken: rotated, idToken };
        return { type: "valid", tokens: kept, claims: undefined };
      } catch (error) {
        const isEnded = error instanceof ResponseBodyError && error.error === "invalid_grant";
        if (isEnded) return { type: "ended" };
        throw error;
      }
    });
  }

  readonly readLogOut = (token: string): Promise<LogOutDemand> =>
    orLogInError(() => {
      const { issuer, clientId } = this.#provider;
      const now = new Date(this.#clock.now());
      const rules = { issuer, clientId, now, toleranceSeconds };
      return readLogOutToken(token, rules, async (...header) => (await this.#keys())(...header));
    });

  logOutUrl({ idToken }: LogInTokens, returnTo: string): Promise<URL | undefined> {
    return orLogInError(async () => {
      const configuration = await this.#configuration();
      if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
      return buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: returnTo,
        ...(idToken === undefined ? {} : { id_token_hint: idToken }),
      });
    });
  }

  /** Returns the keys of the provider, which are read when a token names an unknown one, at most every 30 seconds. */
  async #keys(): Promise<JWTVerifyGetKey> {
    const { jwks_uri: address } = (await this.#configuration()).serverMetadata();
    if (address === undefined) throw new LogInError("failed", "its metadata names no keys");
    if (this.#keySet?.address !== address) {
      const keys = createRemoteJWKSet(new URL(address), {
        [keyFetch]: (url, init) => this.#fetch(url, init),
      });
      this.#keySet = { address, keys };
    }
    return this.#keySet.keys;
  }

  /** Returns the metadata; an outage of the provider leaves the last one in use. */
  async #configuration(): Promise<Configuration> {
    const known = this.#metadata;
    if (known !== undefined && this.#clock.monotonic() - known.readAtMs < metadataMs) {
      return known.configuration;
    }
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    if (known === undefined) return this.#reading;
    return this.#reading.catch(() => known.configuration);
  }

  async #read(): Promise<Configuration> {
    const { issuer, clientId, clientSecret, clientAuth } = this.#provider;
    const client = {
      [clockTolerance]: toleranceSeconds,
      // Tokens are compared with the database's clock, which all replicas share.
      [clockSkew]: Math.round((this.#clock.now() - Date.now()) / 1000),
    };
    const auth =
      clientSecret === undefined
        ? None()
        : clientAuth === "basic"
          ? ClientSecretBasic(clientSecret)
          : ClientSecretPost(clientSecret);
    const isPlain = issuer.startsWith("http:");
    const configuration = await discovery(new URL(issuer), clientId, client, auth, {
      [customFetch]: this.#send,
      // Settings allow it on this machine only.
      execute: [enableNonRepudiationChecks, ...(isPlain ? [allowInsecureRequests] : [])],
    });
    this.#metadata = { configuration, readAtMs: this.#clock.monotonic() };
    return configuration;
  }

  readonly #send: CustomFetch = (url, { method, headers, body, signal }) =>
    this.#fetch(url, {
      method,
      headers,
      body: typeof body === "string" || body instanceof URLSearchParams ? body : null,
      signal: signal ?? null,
    });
}

function tokensOf(response: {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
}): LogInTokens {
  return {
    accessToken: response.access_token,
    refreshToken: response.refresh_token,
    idToken: response.id_token,
  };
}

async function orLogInError<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw logInErrorOf(error) ?? error;
  }
}

/** Translates an error of the library. Texts of the provider are left out: they may contain anything. */
function logInErrorOf(error: unknown): LogInError | undefined {
  if (error instanceof LogInError) return error;
  if (error instanceof ProviderError) return logInErrorOfProvider(error);
  if (error instanceof AuthorizationResponseError) {
    const isDenied = error.error === "access_denied" || error.error === "login_required";
    return new LogInError(isDenied ? "denied" : "failed", `it answered ${codeText(error.error)}`);
  }
  if (error instanceof ResponseBodyError) {
    const code = error.status >= 500 ? "unavailable" : "failed";
    return new LogInError(code, `it answered ${codeText(error.error)} (${error.status})`);
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    return new LogInError("failed", `it answered with status ${error.status}`);
  }
  if (!(error instanceof ClientError)) return undefined;
  if (error.code === "OAUTH_JWT_TIMESTAMP_CHECK_FAILED") {
    const text = `the times of its ID token are more than ${toleranceSeconds} s off: ${error.message}`;
    return new LogInError("clock", text);
  }
  const { cause } = error;
  if (cause instanceof ProviderError) return logInErrorOfProvider(cause);
  const isOutage = cause instanceof Response && cause.status >= 500;
  return new LogInError(
    isOutage ? "unavailable" : "failed",
    `its answer is invalid: ${error.message}`,
  );
}

function logInErrorOfProvider({ retryable, message }: ProviderError): LogInError {
  return new LogInError(retryable ? "unavailable" : "failed", message);
}

/** Returns an error code of OAuth 2 for the log; others are not repeated. */
function codeText(code: string): string {
  return /^[a-z_]{1,64}$/.test(code) ? code : "an unknown error";
}
