import type { IncomingMessage } from "node:http";

import type { Clock } from "@slipway/runtime";
import { stringifySetCookie } from "cookie";

import { holdsScope } from "../../platform/auth/grants.ts";
import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import type { KnownUser } from "../../platform/http/caller.ts";
import { findSessionCookie } from "../../platform/http/token.ts";
import type { AppRequest } from "./app-request.ts";
import { type AppSession, appSessionSeconds, SignedTokens } from "./app-tokens.ts";
import { appCookieName, appSessionCookie, triedValues } from "./cookies.ts";
import { bearerToken } from "./request-headers.ts";

/** The proof of a viewer's identity in a request. */
export interface Credential {
  readonly type: "session token" | "app session";
  readonly text: string;
  /** True if the browser adds it automatically, whichever page makes the request. */
  readonly isCookie: boolean;
}

export interface AppViewer {
  readonly user: KnownUser;
  readonly credential: Credential;
  /** A cookie to set, so that the viewer stays logged in. */
  readonly renewal: string | undefined;
}

interface AppViewersNeeds {
  readonly secrets: SecretBox;
  readonly clock: Pick<Clock, "now">;
  readonly holders: KeyHolders;
}

/** The age in seconds after which a login at the host of an app is renewed by its use. */
const renewAfterSeconds = 3600;

/** The users who open apps. */
export class AppViewers {
  readonly #needs: AppViewersNeeds;
  readonly #sessions: SignedTokens;

  constructor(needs: AppViewersNeeds) {
    this.#needs = needs;
    this.#sessions = new SignedTokens(needs.secrets, "app session", needs.clock);
  }

  /**
   * Returns the credentials of a request, those for this app alone first. The server's session cookie counts only at
   * its own origin. Throws `SeveralSessions`.
   */
  credentials(request: IncomingMessage, asked: AppRequest): readonly Credential[] {
    const { headers } = request;
    const isPath = asked.address.access === "path";
    const values = isPath
      ? [findSessionCookie(request, asked.origin.startsWith("https:")) ?? []].flat()
      : triedValues(headers.cookie, sessionCookieName(asked));
    const cookies = values.map((text): Credential => {
      return { type: isPath ? "session token" : "app session", text, isCookie: true };
    });
    const tokens = [headers["coder-session-token"], bearerToken(headers.authorization)];
    return [
      ...cookies,
      ...tokens
        .filter((text) => typeof text === "string" && text !== "")
        .map((text): Credential => ({
          type: "session token",
          text: String(text),
          isCookie: false,
        })),
    ];
  }

  /** Returns the viewer of the first credential that is valid; undefined if none is. */
  async identify(
    credentials: readonly Credential[],
    asked: AppRequest,
  ): Promise<AppViewer | undefined> {
    for (const credential of credentials) {
      const viewer = await this.#check(credential, asked);
      if (viewer !== undefined) return viewer;
    }
    return undefined;
  }

  /** Returns the cookie with which a browser is logged in at an origin. */
  async sessionCookie({ userId, keyId }: AppSession, asked: AppRequest): Promise<string> {
    const { origin } = asked;
    const claims = { sub: userId, sid: keyId };
    const value = await this.#sessions.sign(claims, origin, appSessionSeconds);
    return stringifySetCookie({
      name: sessionCookieName(asked),
      value,
      path: "/",
      httpOnly: true,
      sameSite: "lax",
      secure: origin.startsWith("https:"),
      maxAge: appSessionSeconds,
    });
  }

  async #check(credential: Credential, asked: AppRequest): Promise<AppViewer | undefined> {
    const { holders, clock } = this.#needs;
    if (credential.type === "session token") {
      const user = await holders.ofToken(credential.text);
      return user !== undefined && mayOpenApps(user)
        ? { user, credential, renewal: undefined }
        : undefined;
    }
    const claims = await this.#sessions.verify(credential.text, asked.origin);
    const { sub: userId, sid: keyId, iat = 0 } = claims ?? {};
    const user = typeof keyId === "string" ? await holders.ofKey(keyId) : undefined;
    if (user === undefined || user.id !== userId || !mayOpenApps(user)) return undefined;
    const isOld = clock.now() / 1000 - iat > renewAfterSeconds;
    const session = { userId: user.id, keyId: user.keyId };
    const renewal = isOld ? await this.sessionCookie(session, asked) : undefined;
    return { user, credential, renewal };
  }
}

/** Returns the name of the cookie with the login at the host of an app. */
function sessionCookieName(asked: AppRequest): string {
  return appCookieName(appSessionCookie(asked.wildcardHost), asked);
}

/** Returns whether the key of a user opens apps. */
export function mayOpenApps({ grant: { scopes } }: KnownUser): boolean {
  return (
    scopes.includes("coder:application_connect") ||
    holdsScope(scopes, "workspace:application_connect")
  );
}
