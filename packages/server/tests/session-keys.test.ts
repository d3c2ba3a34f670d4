import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { endSession } from "../src/platform/auth/queries.ts";
import { createSession, keyLifetimes } from "../src/platform/auth/session-key.ts";
import { fullGrant } from "../src/platform/http/caller.ts";
import { type CallerApp, openCallerApp } from "./support/caller-app.ts";
import { type SeededWorkspace, seedWorkspace } from "./support/rows.ts";

let app: CallerApp;

beforeEach(async () => {
  app = await openCallerApp();
});

afterEach(() => app[Symbol.asyncDispose]());

describe("a session key", () => {
  let place: SeededWorkspace;
  let token: string;

  beforeEach(async () => {
    place = await seedWorkspace(app.database.db);
    const lifetimeSeconds = keyLifetimes.commandSession;
    const session = { userId: place.userId, lifetimeSeconds, origin: undefined } as const;
    token = await createSession(app.database.db, { ...session, loginType: "password" });
  });

  /** Resolves to the seconds until the key expires, and since its last use and the user's. */
  async function times() {
    const { rows } = await sql<{ left: number; used: number | null; seen: number | null }>`
      select extract(epoch from expires_at - now())::float8 as left,
        extract(epoch from now() - last_used)::float8 as used,
        extract(epoch from now() - last_seen_at)::float8 as seen
      from api_keys join users on users.id = user_id`.execute(app.database.db);
    return rows[0] ?? { left: 0, used: null, seen: null };
  }

  async function setKey(expiresIn: string, usedAgo: string): Promise<void> {
    await sql`update api_keys set expires_at = now() + ${expiresIn}::interval,
      last_used = now() - ${usedAgo}::interval`.execute(app.database.db);
  }

  it("says who calls", async () => {
    expect(await app.ask("/user", token)).toEqual({
      status: 200,
      body: {
        id: place.userId,
        username: "ann",
        roles: ["owner"],
        keyId: token.slice(0, 10),
        grant: fullGrant,
      },
      challenge: undefined,
    });
  });

  it.each([
    [undefined, 'Cookie "coder_session_token" or query parameter must be provided.'],
    ["abc", "Invalid API key format: incorrect amount of API key parts, expected 2 got 1"],
    ["abcdefghij-abcdefghijabcdefghijab", "API key is invalid."],
  ])("refuses the token %j", async (bad, detail) => {
    expect(await app.ask("/user", bad)).toEqual({
      status: 401,
      body: {
        message:
          "You are signed out or your session has expired. Please sign in again to continue.",
        detail,
      },
      challenge:
        'Bearer realm="coder", error="invalid_token", error_description="The access token has expired", ' +
        'resource_metadata="http://access/.well-known/oauth-protected-resource"',
    });
  });

  it("refuses a wrong secret of a key that exists", async () => {
    const wrong = `${token.slice(0, -1)}${token.endsWith("a") ? "b" : "a"}`;
    const { status, body } = await app.ask("/user", wrong);
    expect([status, body]).toMatchObject([401, { detail: "API key secret is invalid." }]);
  });

  it("refuses a key that expired, and says since when", async () => {
    await setKey("-1 second", "0 seconds");
    const { status, body } = await app.ask("/user", token);
    expect([status, body]).toMatchObject([
      401,
      { detail: expect.stringMatching(/^API key expired at "2\d{3}-.*Z"\.$/) },
    ]);
  });

  it("slides its expiry and notes its use after an hour", async () => {
    await setKey("1 minute", "61 minutes");
    expect((await app.ask("/user", token)).status).toBe(200);
    const { left, used, seen } = await times();
    expect(left).toBeGreaterThan(keyLifetimes.commandSession - 60);
    expect(left).toBeLessThanOrEqual(keyLifetimes.commandSession);
    expect(used).toBeLessThan(60);
    expect(seen).toBeLessThan(60);
  });

  it("writes nothing for a key that was used within the hour", async () => {
    await setKey("1 minute", "59 minutes");
    expect((await app.ask("/user", token)).status).toBe(200);
    const { left, used, seen } = await times();
    expect(left).toBeLessThanOrEqual(60);
    expect(used).toBeGreaterThan(58 * 60);
    expect(seen).toBeNull();
  });

  it("never shortens what is left of a key", async () => {
    await setKey("30 days", "2 hours");
    await app.ask("/user", token);
    expect((await times()).left).toBeGreaterThan(29 * 24 * 3600);
  });

  it("is worth nothing after its end, and to users who are gone or suspended", async () => {
    await app.database.db.updateTable("users").set({ status: "suspended" }).execute();
    expect(await app.ask("/user", token)).toMatchObject({
      status: 401,
      body: {
        message:
          'User is not active (status = "suspended"). Contact an admin to reactivate your account.',
      },
    });
    await app.database.db.updateTable("users").set({ status: "active", deleted: true }).execute();
    expect((await app.ask("/user", token)).status).toBe(401);
    await app.database.db.updateTable("users").set({ deleted: false }).execute();
    expect((await app.ask("/user", token)).status).toBe(200);
    await endSession(app.database.db, token.slice(0, 10));
    expect((await app.ask("/user", token)).status).toBe(401);
  });
});
