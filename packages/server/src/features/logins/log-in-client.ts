import type { JsonObject } from "@slipway/runtime";

import type { LogOutDemand } from "./log-out-token.ts";

/** The secrets of a login that a browser began; the provider's answer must match them. */
export interface BegunLogIn {
  readonly state: string;
  readonly nonce: string;
  /** The PKCE verifier (RFC 7636). */
  readonly verifier: string;
  readonly redirectUri: string;
}

export interface LogInOptions {
  /** True if the provider should ask who the person is even if they are logged in there, where its protocol can. */
  readonly asksAgain: boolean;
}

/** The tokens of a person at a provider. */
export interface LogInTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
}

/** A person who has proved to a provider who they are. */
export interface ProvenLogIn {
  /** Signed by the provider or fetched from it, and bounded in size. */
  readonly claims: JsonObject;
  readonly tokens: LogInTokens;
}

/** The requests to one provider. All reject with `LogInError`; each ends within the timeouts of its fetches. */
export interface LogInClient {
  /** Returns the address to which a browser goes to log in. */
  logInUrl(begun: BegunLogIn, options: LogInOptions): Promise<URL>;
  /** Exchanges the code with which the provider sent a browser back. */
  complete(answer: URLSearchParams, begun: BegunLogIn): Promise<ProvenLogIn>;
  /** Asks whether a person may still log in, by refreshing their tokens or reading their account. */
  check(tokens: LogInTokens): Promise<CheckedLogIn>;
  /** Returns the address at which a browser ends the person's session at the provider; undefined if there is none. */
  logOutUrl(tokens: LogInTokens, returnTo: string): Promise<URL | undefined>;
  /** Verifies the token by which the provider itself ends sessions; undefined if its protocol has none. */
  readonly readLogOut: ((token: string) => Promise<LogOutDemand>) | undefined;
}

/** The answer to a check: the tokens to keep and, at GitHub, the present claims; or that the provider has ended the login. */
export type CheckedLogIn =
  | {
      readonly type: "valid";
      readonly tokens: LogInTokens;
      readonly claims: JsonObject | undefined;
    }
  | { readonly type: "ended" };
