import { createHash, randomBytes } from "node:crypto";

import { ProviderBrowser } from "./provider-browser.ts";

export const callback = "http://127.0.0.1:33418/callback";

export interface OauthAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The tokens that a program holds. */
export interface HeldTokens {
  readonly access: string;
  readonly refresh: string;
}

interface Site {
  readonly url: string;
}

type Changes = Readonly<Record<string, string | undefined>>;

/** A program that registered at a server, and what it sends by hand. */
export class OauthProgram {
  readonly #site: Site;
  readonly verifier = randomBytes(32).toString("base64url");
  readonly clientId: string;

  private constructor(site: Site, clientId: string) {
    this.#site = site;
    this.clientId = clientId;
  }

  static async register(site: Site, name = "Test program"): Promise<OauthProgram> {
    const { body } = await post(site, "/oauth2/register", {
      json: { client_name: name, redirect_uris: [callback] },
    });
    return new OauthProgram(site, String(body["client_id"]));
  }

  /** The path that it sends a browser to; undefined removes a parameter. */
  authorizePath(changes: Changes = {}): string {
    const challenge = createHash("sha256").update(this.verifier).digest("base64url");
    const query = withChanges(changes, {
      response_type: "code",
      client_id: this.clientId,
      redirect_uri: callback,
      state: "its-state",
      code_challenge: challenge,
      code_challenge_method: "S256",
      resource: `${this.#site.url}/api/v2/mcp`,
    });
    return `/oauth2/authorize?${query.toString()}`;
  }

  /** Has a user decide; resolves to the address to which the browser is sent back. */
  async decide(
    person: { readonly client: { readonly headers: Readonly<Record<string, string>> } },
    decision: "allow" | "deny" = "allow",
    path: string = this.authorizePath(),
  ): Promise<URL> {
    const browser = new ProviderBrowser(this.#site, person.client);
    const nonce = nonceOf((await browser.ask(path)).text);
    const { headers } = await browser.ask(path, "POST", consent(nonce, decision));
    return new URL(String(headers["refresh"]).replace(/^0; url=/, ""));
  }

  redeem(code: string, changes: Changes = {}): Promise<OauthAnswer> {
    return this.#tokens(changes, {
      grant_type: "authorization_code",
      code,
      code_verifier: this.verifier,
      client_id: this.clientId,
      redirect_uri: callback,
    });
  }

  refresh(token: string, changes: Changes = {}): Promise<OauthAnswer> {
    const form = { grant_type: "refresh_token", refresh_token: token, client_id: this.clientId };
    return this.#tokens(changes, form);
  }

  revoke(token: string, clientId: string = this.clientId): Promise<OauthAnswer> {
    return post(this.#site, "/oauth2/revoke", {
      form: new URLSearchParams({ token, client_id: clientId }),
    });
  }

  /** Has a user consent, and gets the first tokens. */
  async logIn(person: Parameters<OauthProgram["decide"]>[0]): Promise<HeldTokens> {
    const { searchParams } = await this.decide(person);
    return tokensOf(await this.redeem(searchParams.get("code") ?? ""));
  }

  #tokens(changes: Changes, form: Readonly<Record<string, string>>): Promise<OauthAnswer> {
    return post(this.#site, "/oauth2/tokens", { form: withChanges(changes, form) });
  }
}

export function nonceOf(page: string): string {
  return /name="nonce" value="([^"]*)"/.exec(page)?.[1] ?? "";
}

export function consent(nonce: string, decision: string): string {
  return new URLSearchParams({ nonce, decision }).toString();
}

export function tokensOf({ body }: OauthAnswer): HeldTokens {
  return { access: String(body["access_token"]), refresh: String(body["refresh_token"]) };
}

function withChanges(
  changes: Changes,
  parameters: Readonly<Record<string, string>>,
): URLSearchParams {
  const query = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  return query;
}

interface Body {
  readonly form?: URLSearchParams;
  readonly json?: unknown;
}

/** Sends a request as programs do. */
export async function post(
  { url }: Site,
  path: string,
  { form, json }: Body,
): Promise<OauthAnswer> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    ...(json === undefined ? {} : { headers: { "Content-Type": "application/json" } }),
    body: form ?? JSON.stringify(json),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tests look into it
  const body = (await response.json()) as OauthAnswer["body"];
  return { status: response.status, headers: response.headers, body };
}
