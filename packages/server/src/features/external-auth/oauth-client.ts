import * as oauth from "oauth4webapi";

import type { ExternalAuthProvider } from "../../platform/config/external-auth-settings.ts";
import type { ProviderFetch } from "../../platform/providers/provider-fetch.ts";
import { endGitHubGrant } from "./github-grant.ts";
import { type DeviceCode, plainAnswer, readDeviceCode, translateError } from "./oauth-answer.ts";
import { type ProviderTokens, readTokens } from "./tokens.ts";

/** A login that a browser began; the provider's answer must match it. */
export interface BegunLogIn {
  readonly state: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

interface Call {
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** The requests of OAuth 2 to one provider. All reject with `ProviderError`. */
export class OAuthClient {
  readonly #provider: ExternalAuthProvider;
  readonly #fetch: ProviderFetch;
  readonly #server: oauth.AuthorizationServer;
  readonly #client: oauth.Client;
  readonly #clientAuth: oauth.ClientAuth;

  constructor(provider: ExternalAuthProvider, fetch: ProviderFetch) {
    this.#provider = provider;
    this.#fetch = fetch;
    this.#server = {
      issuer: new URL(provider.tokenUrl).origin,
      token_endpoint: provider.tokenUrl,
      ...(provider.deviceCodeUrl === undefined
        ? {}
        : { device_authorization_endpoint: provider.deviceCodeUrl }),
      ...(provider.revokeUrl === undefined ? {} : { revocation_endpoint: provider.revokeUrl }),
    };
    this.#client = { client_id: provider.clientId };
    this.#clientAuth = clientAuthOf(provider);
  }

  /** Returns the address to which a browser goes to log in. */
  async logInUrl(begun: BegunLogIn): Promise<string> {
    const { authUrl = "", clientId, scopes } = this.#provider;
    const url = new URL(authUrl);
    const parameters: Readonly<Record<string, string>> = {
      response_type: this.#provider.clientAuth === "assertion" ? "Assertion" : "code",
      client_id: clientId,
      redirect_uri: begun.redirectUri,
      state: begun.state,
      code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: "S256",
      ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /** Exchanges the code with which the provider sent a browser back. */
  exchange(answer: URLSearchParams, begun: BegunLogIn, call: Call): Promise<ProviderTokens> {
    // The issuer of most providers is unknown. Instead, each provider has its own redirect URI, to which the state is bound
    // (RFC 9700 section 4.4.2.2).
    const parameters = new URLSearchParams(answer);
    parameters.delete("iss");
    return this.#tokens(call, [begun.verifier, answer.get("code") ?? ""], async (options) => {
      const checked = oauth.validateAuthResponse(
        this.#server,
        this.#client,
        parameters,
        begun.state,
      );
      if (this.#provider.clientAuth === "assertion") {
        const assertion = checked.get("code") ?? "";
        return this.#assertion(jwtBearer, { assertion, redirect_uri: begun.redirectUri }, options);
      }
      const response = await oauth.authorizationCodeGrantRequest(
        this.#server,
        this.#client,
        this.#clientAuth,
        checked,
        begun.redirectUri,
        begun.verifier,
        options,
      );
      return oauth.processAuthorizationCodeResponse(this.#server, this.#client, response);
    });
  }

  /** Exchanges a refresh token for new tokens; keeps it if the provider returns no other. */
  refresh(refreshToken: string, call: Call): Promise<ProviderTokens> {
    return this.#tokens(
      call,
      [refreshToken],
      async (options) => {
        if (this.#provider.clientAuth === "assertion") {
          return this.#assertion("refresh_token", { assertion: refreshToken }, options);
        }
        const response = await oauth.refreshTokenGrantRequest(
          this.#server,
          this.#client,
          this.#clientAuth,
          refreshToken,
          options,
        );
        return oauth.processRefreshTokenResponse(this.#server, this.#client, response);
      },
      refreshToken,
    );
  }

  /** Begins a login in which the user enters a code at the provider. */
  async beginDevice({ signal }: Pick<Call, "signal">): Promise<DeviceCode> {
    const { scopes } = this.#provider;
    const parameters = scopes.length === 0 ? {} : { scope: scopes.join(" ") };
    const found = await this.#translate([], async () => {
      const response = await oauth.deviceAuthorizationRequest(
        this.#server,
        this.#client,
        this.#clientAuth,
        parameters,
        this.#options(signal),
      );
      return oauth.processDeviceAuthorizationResponse(this.#server, this.#client, response);
    });
    return readDeviceCode(found);
  }

  /** Gets the tokens of a login by code; its error is `authorization_pending` until the user has entered the code. */
  redeemDevice(deviceCode: string, call: Call): Promise<ProviderTokens> {
    return this.#tokens(call, [deviceCode], async (options) => {
      const response = await oauth.deviceCodeGrantRequest(
        this.#server,
        this.#client,
        this.#clientAuth,
        deviceCode,
        options,
      );
      return oauth.processDeviceCodeResponse(this.#server, this.#client, response);
    });
  }

  /** Revokes a login: by RFC 7009 the refresh token, which ends its access tokens too; at GitHub the whole grant. */
  async revoke(
    { accessToken, refreshToken }: Pick<ProviderTokens, "accessToken" | "refreshToken">,
    { signal }: Pick<Call, "signal">,
  ): Promise<void> {
    const { type, clientId, clientSecret = "", revokeUrl = "" } = this.#provider;
    if (type === "github") {
      const client = { clientId, clientSecret };
      return endGitHubGrant(revokeUrl, this.#fetch, client, accessToken, signal);
    }
    const token = refreshToken ?? accessToken;
    await this.#translate([token], async () => {
      const response = await oauth.revocationRequest(
        this.#server,
        this.#client,
        this.#clientAuth,
        token,
        this.#options(signal),
      );
      await oauth.processRevocationResponse(response);
    });
  }

  /** Requests tokens in the form of Azure DevOps, in which the secret is an assertion. */
  async #assertion(
    grant: string,
    parameters: Readonly<Record<string, string>>,
    options: RequestOptions,
  ): Promise<oauth.TokenEndpointResponse> {
    const response = await oauth.genericTokenEndpointRequest(
      this.#server,
      this.#client,
      this.#clientAuth,
      grant,
      { ...parameters },
      options,
    );
    return oauth.processGenericTokenEndpointResponse(this.#server, this.#client, response);
  }

  async #tokens(
    { nowMs, signal }: Call,
    secrets: readonly string[],
    request: (options: RequestOptions) => Promise<oauth.TokenEndpointResponse>,
    refreshToken?: string,
  ): Promise<ProviderTokens> {
    const response = await this.#translate(secrets, () => request(this.#options(signal)));
    const extraKeys = this.#provider.extraTokenKeys;
    return readTokens(response, { nowMs, extraKeys, refreshToken });
  }

  #options(signal: AbortSignal): RequestOptions {
    return {
      signal,
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: async (url, init) =>
        plainAnswer(await this.#fetch(url, { ...init, body: readFormBody(init.body) })),
    };
  }

  /** Translates the errors of the library, and removes the secrets of the request from what the provider says. */
  async #translate<T>(secrets: readonly string[], request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw translateError(error, [...secrets, this.#provider.clientSecret ?? ""]);
    }
  }
}

type RequestOptions = oauth.TokenEndpointRequestOptions;

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

function clientAuthOf({ clientSecret, clientAuth }: ExternalAuthProvider): oauth.ClientAuth {
  if (clientSecret === undefined) return oauth.None();
  switch (clientAuth) {
    case "post":
      return oauth.ClientSecretPost(clientSecret);
    case "basic":
      return oauth.ClientSecretBasic(clientSecret);
    case "assertion":
      return (_server, _client, body) => {
        body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        body.set("client_assertion", clientSecret);
      };
  }
}

function readFormBody(body: unknown): URLSearchParams | null {
  return body instanceof URLSearchParams ? body : null;
}
