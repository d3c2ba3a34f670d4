import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

import { stringifySetCookie } from "cookie";

import type { KeyHolders } from "../../platform/auth/service.ts";
import { isNavigation } from "../../platform/http/refusal-pages.ts";
import type { AppPage } from "./app-page.ts";
import type { AppRequest } from "./app-request.ts";
import { hashOf, type LoginCodes } from "./app-tokens.ts";
import type { AppViewers } from "./app-viewers.ts";
import { appCookieName, loginStateCookie, triedValues } from "./cookies.ts";
import { notSignedIn } from "./problem-pages.ts";
import { loginCodeParameter, withoutOwnParameters } from "./request-headers.ts";

/** The answer that sends a browser elsewhere. */
export interface Redirect {
  readonly status: 303 | 307;
  readonly location: string;
  readonly cookies: readonly string[];
}

interface AppLoginNeeds {
  readonly viewers: AppViewers;
  readonly codes: LoginCodes;
  readonly holders: KeyHolders;
  readonly accessUrl: () => string;
}

/** The path at which browsers log in to the server; it returns to the path in `redirect`. */
export const logInPath = "/login";
/** The path at which a browser gets a login code for the host of an app. */
export const authRedirectPath = "/api/v2/applications/auth-redirect";

const stateBytes = 16;
const stateForm = /^[\w-]{22}$/;
/** The time for a person to log in. */
const stateSeconds = 15 * 60;

/**
 * Logs browsers in at the hosts of apps (docs/protocol/rest.md §5). The server's own cookie is not sent there: the
 * server encrypts a login code for the app's origin, and the browser carries it there. The code is valid only for the
 * browser that began the login, which has a cookie that no page of another origin can read.
 */
export class AppLogin {
  readonly #needs: AppLoginNeeds;

  constructor(needs: AppLoginNeeds) {
    this.#needs = needs;
  }

  /** Sends a browser to log in; returns a page for requests whose answers no one sees. */
  begin(request: IncomingMessage, asked: AppRequest): Redirect | AppPage {
    if (!isNavigation(request)) return notSignedIn;
    const { address, origin, basePath, path, query } = asked;
    const target = `${basePath}${path}${withoutOwnParameters(query)}`;
    const accessUrl = this.#needs.accessUrl();
    if (address.access === "path") {
      const parameters = new URLSearchParams({ redirect: target });
      return { status: 303, location: `${logInPath}?${parameters.toString()}`, cookies: [] };
    }
    const [found = ""] = triedValues(
      request.headers.cookie,
      appCookieName(loginStateCookie, asked),
    );
    // One state for all pages that are opened meanwhile.
    const state = stateForm.test(found) ? found : randomBytes(stateBytes).toString("base64url");
    const parameters = new URLSearchParams({
      redirect_uri: `${origin}${target}`,
      state: hashOf(state),
    });
    return {
      status: 303,
      location: `${accessUrl}${authRedirectPath}?${parameters.toString()}`,
      cookies: [stateCookie(state, asked, stateSeconds)],
    };
  }

  /** Returns the code with which a browser comes back to the host of an app; undefined for other requests. */
  codeOf(request: IncomingMessage, { address, query }: AppRequest): string | undefined {
    if (address.access === "path" || !isNavigation(request)) return undefined;
    return new URLSearchParams(query).get(loginCodeParameter) ?? undefined;
  }

  /** Completes a login with the code that the browser brings, by a query of the database. */
  async complete(
    request: IncomingMessage,
    asked: AppRequest,
    code: string,
  ): Promise<Redirect | AppPage> {
    const { origin, path, query } = asked;
    const location = `${origin}${path}${withoutOwnParameters(query)}`;
    const { viewers, codes, holders } = this.#needs;
    const stateName = appCookieName(loginStateCookie, asked);
    for (const state of triedValues(request.headers.cookie, stateName)) {
      const session = await codes.read(code, origin, state);
      const user = session && (await holders.ofKey(session.keyId));
      if (session === undefined || user?.id !== session.userId) continue;
      const cookie = await viewers.sessionCookie(session, asked);
      return { status: 303, location, cookies: [cookie, stateCookie("", asked, 0)] };
    }
    const known = await viewers.identify(viewers.credentials(request, asked), asked);
    return known === undefined ? expiredLogin(location) : { status: 303, location, cookies: [] };
  }
}

function expiredLogin(location: string): AppPage {
  return {
    status: 400,
    title: "Login did not complete",
    text: "The login has expired, was used before, or belongs to another browser; or this browser does not accept cookies.",
    next: { text: "Open the app again", url: location },
  };
}

function stateCookie(value: string, asked: AppRequest, maxAge: number): string {
  const name = appCookieName(loginStateCookie, asked);
  const secure = asked.origin.startsWith("https:");
  const cookie = { name, value, path: "/", httpOnly: true, secure, maxAge };
  return stringifySetCookie({ ...cookie, sameSite: "lax" });
}
