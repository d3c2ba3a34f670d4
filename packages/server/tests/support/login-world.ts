import type { Clock } from "@slipway/runtime";
import {
  oidcClient,
  type OidcPeer,
  openOidcPeer,
  type ShownPage,
  type WebBrowser,
} from "@slipway/testkit/oauth";
import { inject } from "vitest";

import { openReplica, openServer, type OpenServer } from "./open-server.ts";

/** A server whose users log in at a certified OpenID provider. */
export interface LogInWorld extends AsyncDisposable {
  readonly server: OpenServer;
  readonly peer: OidcPeer;
  /** Opens another replica with the same settings; it is closed with the world. */
  readonly openReplica: (clock?: Clock) => Promise<{ readonly url: string }>;
  /** Adds a person to the provider, with a verified address unless the claims say otherwise. */
  readonly addPerson: (login: string, claims?: Readonly<Record<string, unknown>>) => void;
  /** Returns the requests of a session: whose it is, or the status of the refusal. */
  readonly whoIs: (browser: WebBrowser) => Promise<string | number>;
}

/** Opens the world; `settings` are those of the login provider 0, without its prefix. */
export async function openLogInWorld(
  settings: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<LogInWorld> {
  await using opening = new AsyncDisposableStack();
  const peer = opening.use(await openOidcPeer());
  const provider = {
    ID: "acme",
    ISSUER: peer.url,
    CLIENT_ID: oidcClient.id,
    CLIENT_SECRET: oidcClient.secret,
    DISPLAY_NAME: "Acme",
    SIGNUPS: "open",
    ...settings,
  };
  const all = {
    ...Object.fromEntries(
      Object.entries(provider).map(([key, value]) => [`SLIPWAY_LOGIN_0_${key}`, value]),
    ),
    ...environment,
  };
  const server = opening.use(await openServer(inject("postgresUrl"), all));
  peer.serve({
    redirectUris: [`${server.url}/login/with/acme/callback`],
    logOutUris: [`${server.url}/login`],
    backchannelLogOutUri: `${server.url}/login/with/acme/backchannel-logout`,
  });
  const opened = opening.move();
  return {
    server,
    peer,
    openReplica: async (clock) => opened.use(await openReplica(server, all, clock)),
    addPerson: (login, claims = {}) => {
      peer.people.set(login, {
        email: `${login}@example.com`,
        email_verified: true,
        preferred_username: login,
        name: login.toUpperCase(),
        ...claims,
      });
    },
    whoIs: async (browser) => {
      const token = browser.cookie(server.url, "coder_session_token") ?? "";
      const response = await fetch(`${server.url}/api/v2/users/me`, {
        headers: { "Coder-Session-Token": token },
      });
      const body: unknown = await response.json();
      const isUser = typeof body === "object" && body !== null && "username" in body;
      return isUser ? String(body.username) : response.status;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Logs in on the provider's own pages, and resolves to the last page; `stopsAt` leaves the browser before an address. */
export async function logInAtAcme(
  { url }: Pick<OpenServer, "url">,
  browser: WebBrowser,
  login: string,
  options: {
    readonly redirect?: string;
    /** Other parameters of the address at which the login begins. */
    readonly query?: Readonly<Record<string, string>>;
    readonly stopsAt?: (url: URL) => boolean;
  } = {},
): Promise<ShownPage> {
  const { stopsAt, redirect, query } = options;
  const parameters = { ...query, ...(redirect === undefined ? {} : { redirect }) };
  const search = new URLSearchParams(parameters).toString();
  const form = await browser.open(`${url}/login/with/acme${search === "" ? "" : `?${search}`}`);
  const page = form.text.includes('value="login"')
    ? await browser.submit(form, { login, password: "any" }, stopsAt)
    : form;
  return page.text.includes('value="consent"') ? browser.submit(page, {}, stopsAt) : page;
}
