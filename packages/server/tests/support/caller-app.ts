import { getUser } from "@slipway/api/users/routes";
import { silentLogger } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { inject } from "vitest";

import { createAuthenticator } from "../../src/platform/auth/service.ts";
import { defaultLimits } from "../../src/platform/config/limits.ts";
import { createHttpServer } from "../../src/platform/http/http-server.ts";

export interface CallerAnswer {
  readonly status: number;
  /** The caller, or the refusal. */
  readonly body: unknown;
  readonly challenge: unknown;
}

/** A database, and an HTTP server that responds with its caller. */
export interface CallerApp extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly ask: (url: "/user" | "/agent", token: string | undefined) => Promise<CallerAnswer>;
}

export async function openCallerApp(): Promise<CallerApp> {
  const database = await openTestDatabase(inject("postgresUrl"));
  const app = await createHttpServer("v0", silentLogger);
  const authenticator = createAuthenticator(database.db, () => "http://access", defaultLimits);
  app.get("/user", (request) => authenticator.user(request, getUser));
  app.get("/agent", (request) => authenticator.agent(request));
  return {
    database,
    ask: async (url, token) => {
      const headers = token === undefined ? {} : { "coder-session-token": token };
      const response = await app.inject({ url, headers });
      const challenge = response.headers["www-authenticate"];
      return { status: response.statusCode, body: response.json(), challenge };
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
