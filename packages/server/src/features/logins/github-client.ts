import { type JsonObject, listOf, objectOf, parseObject, textOf } from "@slipway/runtime";
import { calculatePKCECodeChallenge } from "openid-client";

import type { LogInProvider } from "../../platform/config/login-settings.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";
import type { ProviderFetch } from "../../platform/providers/provider-fetch.ts";
import { LogInError } from "./errors.ts";
import type {
  BegunLogIn,
  CheckedLogIn,
  LogInClient,
  LogInTokens,
  ProvenLogIn,
} from "./log-in-client.ts";

/** The maximum number of organizations and of teams that are read: pages of 100. */
const maxPages = 10;
const pageLength = 100;

/** The requests to GitHub: OAuth 2 with PKCE, and its REST API in place of an ID token. */
export class GitHubClient implements LogInClient {
  readonly #provider: LogInProvider;
  readonly #fetch: ProviderFetch;
  readonly readLogOut = undefined;

  constructor(provider: LogInProvider, { fetch }: { readonly fetch: ProviderFetch }) {
    this.#provider = provider;
    this.#fetch = fetch;
  }

  async logInUrl(begun: BegunLogIn): Promise<URL> {
    const { issuer, clientId, scopes } = this.#provider;
    const url = new URL(`${issuer}/login/oauth/authorize`);
    const parameters = {
      response_type: "code",
      client_id: clientId,
      redirect_uri: begun.redirectUri,
      scope: scopes.join(" "),
      state: begun.state,
      code_challenge: await calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }

  async complete(answer: URLSearchParams, begun: BegunLogIn): Promise<ProvenLogIn> {
    const error = answer.get("error");
    if (error !== null) {
      throw new LogInError(error === "access_denied" ? "denied" : "failed", "it answered an error");
    }
    if (answer.get("state") !== begun.state) throw new LogInError("failed", "another state");
    const accessToken = await this.#exchange(answer.get("code") ?? "", begun);
    const claims = await this.#readClaims(accessToken);
    return { claims, tokens: { accessToken, refreshToken: undefined, idToken: undefined } };
  }

  async check(tokens: LogInTokens): Promise<CheckedLogIn> {
    try {
      return { type: "valid", tokens, claims: await this.#readClaims(tokens.accessToken) };
    } catch (error) {
      if (error instanceof RevokedToken) return { type: "ended" };
      throw error;
    }
  }

  /** GitHub has no such page for applications. */
  logOutUrl(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async #exchange(code: string, begun: BegunLogIn): Promise<string> {
    const { issuer, clientId, clientSecret = "" } = this.#provider;
    const body = new URLSearchParams({
      client_id: clientId,
      client_secret: clientSecret,
      code,
      redirect_uri: begun.redirectUri,
      code_verifier: begun.verifier,
    });
    const response = await this.#send(`${issuer}/login/oauth/access_token`, {
      method: "POST",
      headers: { Accept: "application/json", "User-Agent": userAgent },
      body,
    });
    // Errors have status 200, too.
    const token = textOf(parseObject(await response.text())?.["access_token"]);
    if (/^[!-~]{1,1024}$/.test(token)) return token;
    throw new LogInError("failed", "it gave no token for the code");
  }

  /** Reads the person in the form of claims of OpenID Connect. */
  async #readClaims(token: string): Promise<JsonObject> {
    const user = objectOf(await this.#get(token, "/user"));
    const { id } = user;
    if (typeof id !== "number" || !Number.isSafeInteger(id)) {
      throw new LogInError("failed", "a user without an id");
    }
    // The public address of a profile need not be verified.
    const emails = listOf(await this.#get(token, "/user/emails")).map(objectOf);
    const primary = emails.find((one) => one["primary"] === true && one["verified"] === true);
    return {
      sub: String(id),
      login: user["login"],
      name: user["name"],
      email: primary?.["email"],
      email_verified: primary !== undefined,
      groups: await this.#readGroups(token),
    };
  }

  /** Lists the person's active organizations and teams, if a rule needs them, in lower case. */
  async #readGroups(token: string): Promise<readonly string[]> {
    const { allowedGroups, roleMapping } = this.#provider;
    const wanted = [...allowedGroups, ...(roleMapping?.keys() ?? [])];
    if (wanted.length === 0) return [];
    const memberships = await this.#getAll(token, "/user/memberships/orgs?state=active");
    const organizations = memberships
      .filter((membership) => membership["state"] === "active")
      .map((membership) => textOf(objectOf(membership["organization"])["login"]));
    const isTeamWanted = wanted.some((group) => group.includes("/"));
    const teams = isTeamWanted ? await this.#getAll(token, "/user/teams") : [];
    const names = teams.map(
      (team) => `${textOf(objectOf(team["organization"])["login"])}/${textOf(team["slug"])}`,
    );
    return [...organizations, ...names].map((group) => group.toLowerCase());
  }

  async #getAll(token: string, path: string): Promise<readonly JsonObject[]> {
    const found: JsonObject[] = [];
    const separator = path.includes("?") ? "&" : "?";
    for (let page = 1; page <= maxPages; page += 1) {
      const list = listOf(
        await this.#get(token, `${path}${separator}per_page=${pageLength}&page=${page}`),
      );
      found.push(...list.map(objectOf));
      if (list.length < pageLength) break;
    }
    return found;
  }

  async #get(token: string, path: string): Promise<unknown> {
    const response = await this.#send(`${apiUrlOf(this.#provider)}${path}`, {
      headers: {
        Accept: "application/vnd.github+json",
        Authorization: `Bearer ${token}`,
        "User-Agent": userAgent,
        "X-GitHub-Api-Version": "2022-11-28",
      },
    });
    try {
      const value: unknown = JSON.parse(await response.text());
      return value;
    } catch {
      throw new LogInError("failed", `its answer to ${path} is not JSON`);
    }
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    try {
      const response = await this.#fetch(url, init);
      if (response.status === 200) return response;
      if (response.status === 401)
        throw new RevokedToken("failed", "it no longer accepts the token");
      // A rate limit says nothing about the person.
      const isBusy = response.status >= 500 || response.status === 429 || response.status === 403;
      const code = isBusy ? "unavailable" : "failed";
      throw new LogInError(code, `it answered with status ${response.status}`);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      throw new LogInError(error.retryable ? "unavailable" : "failed", error.message);
    }
  }
}

/** A token that its owner or an administrator of GitHub has revoked. */
class RevokedToken extends LogInError {}

/** GitHub's API refuses requests without one. */
const userAgent = "Slipway";

/** Returns the URL of the REST API, which an own GitHub has at its own host. */
function apiUrlOf({ issuer }: Pick<LogInProvider, "issuer">): string {
  return issuer === "https://github.com" ? "https://api.github.com" : `${issuer}/api/v3`;
}
