import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

import { OAuth2Server } from "oauth2-mock-server";

/** The answer of the server to a request for tokens. */
export interface TokenAnswer {
  body: Record<string, unknown> | "";
  statusCode: number;
}

/** An OAuth 2 authorization server at which everyone is logged in, with opaque tokens. */
export interface OAuthServer extends AsyncDisposable {
  readonly url: string;
  /** The access tokens that it accepts, in order of issue. */
  readonly accepted: string[];
  /** The grant types of the token requests so far. */
  readonly grants: string[];
  /** Changes each answer to a token request (default: no change). */
  changeAnswer: (answer: TokenAnswer, grant: string) => void;
  /** Changes the redirect address of a browser (default: no change). */
  changeRedirect: (back: URL) => void;
  /** The settings of a Slipway provider, by variable. */
  settings(number: number, id: string): Record<string, string>;
}

export async function openOAuthServer(): Promise<OAuthServer> {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  const { port } = server.address();
  const url = `http://127.0.0.1:${port}`;
  const accepted: string[] = [];
  const grants: string[] = [];
  const opened: OAuthServer = {
    url,
    accepted,
    grants,
    changeAnswer: () => undefined,
    changeRedirect: () => undefined,
    settings: (number, id) => settingsOf(url, number, id),
    [Symbol.asyncDispose]: () => server.stop(),
  };
  const { service } = server;
  service.on("beforeResponse", (answer: TokenAnswer, request: IncomingMessage) => {
    const grant = grantOf(request);
    grants.push(grant);
    const token = `opaque-${randomUUID()}`;
    if (answer.body !== "") answer.body["access_token"] = token;
    opened.changeAnswer(answer, grant);
    if (answer.statusCode === 200) accepted.push(token);
  });
  service.on("beforeAuthorizeRedirect", ({ url: back }: { readonly url: URL }) => {
    opened.changeRedirect(back);
  });
  service.on("beforeUserinfo", (answer: TokenAnswer, request: IncomingMessage) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    answer.body = { id: 7, login: "ada", name: "Ada", html_url: `${url}/ada`, avatar_url: "" };
    if (!accepted.includes(token)) answer.statusCode = 401;
  });
  service.on("beforeRevoke", () => {
    accepted.length = 0;
  });
  return opened;
}

function grantOf(request: IncomingMessage): string {
  const body: unknown = Reflect.get(request, "body");
  const isForm = typeof body === "object" && body !== null && "grant_type" in body;
  return isForm ? String(body.grant_type) : "";
}

function settingsOf(url: string, number: number, id: string): Record<string, string> {
  const settings: Readonly<Record<string, string>> = {
    ID: id,
    TYPE: "generic",
    CLIENT_ID: "slipway",
    CLIENT_SECRET: "the secret of the client",
    AUTH_URL: `${url}/authorize`,
    TOKEN_URL: `${url}/token`,
    VALIDATE_URL: `${url}/userinfo`,
    REVOKE_URL: `${url}/revoke`,
    SCOPES: "repo",
    REGEX: String.raw`^(https?://)?git\.test(/.*)?$`,
    DISPLAY_NAME: "Git Test",
  };
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      `SLIPWAY_EXTERNAL_AUTH_${number}_${key}`,
      value,
    ]),
  );
}
