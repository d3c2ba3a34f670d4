import { randomUUID } from "node:crypto";

import { getUser, type Transition } from "@slipway/api";
import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { AuditNotes } from "../src/features/audit/note-service.ts";
import { updatePassword } from "../src/features/users/change-service.ts";
import { storePassword } from "../src/features/users/reset-service.ts";
import { createFirstUser } from "../src/features/users/service.ts";
import { logIn, type LogInNeeds } from "../src/features/users/session-service.ts";
import { PasswordAttempts } from "../src/platform/auth/password-attempts.ts";
import { endSession } from "../src/platform/auth/queries.ts";
import { createAuthenticator, createSession, keyLifetimes } from "../src/platform/auth/service.ts";
import { defaultLimits } from "../src/platform/config/limits.ts";
import { Conflict, Refusal } from "../src/platform/errors/errors.ts";
import { fullGrant } from "../src/platform/http/caller.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import {
  type JobState,
  seedAgent,
  seedBuild,
  type SeededWorkspace,
  seedWorkspace,
  setJob,
} from "./support/rows.ts";

let database: TestDatabase;
let app: Awaited<ReturnType<typeof createHttpServer>>;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  app = await createHttpServer("v0", silentLogger);
  const authenticator = createAuthenticator(database.db, () => "http://access", defaultLimits);
  app.get("/user", (request) => authenticator.user(request, getUser));
  app.get("/agent", (request) => authenticator.agent(request));
});

afterEach(async () => {
  await app.close();
  await database[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly challenge: unknown;
}

async function ask(url: "/user" | "/agent", token: string | undefined): Promise<Answer> {
  const headers = token === undefined ? {} : { "coder-session-token": token };
  const response = await app.inject({ url, headers });
  const challenge = response.headers["www-authenticate"];
  return { status: response.statusCode, body: response.json(), challenge };
}

describe("the first user", () => {
  it("is made by exactly one of 10 who try at once", async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        createFirstUser(database.db, {
          username: `user${index}`,
          email: `user${index}@example.com`,
          name: "",
          password: "correct-horse-battery-42",
        }),
      ),
    );
    const refusals = attempts.flatMap((attempt) => ("reason" in attempt ? [attempt.reason] : []));
    expect(refusals).toHaveLength(9);
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(Conflict);
    }
    const users = await database.db
      .selectFrom("users")
      .where("is_system", "=", false)
      .select(["username", "roles"])
      .execute();
    expect(users).toMatchObject([{ roles: ["owner"] }]);
    const members = await database.db.selectFrom("organization_members").selectAll().execute();
    expect(members).toHaveLength(1);
  });

  it.each([
    [{ username: "new" }, "username"],
    [{ email: "nobody" }, "email"],
    [{ password: "password" }, "password"],
  ])("is refused with %j", async (wrong, field) => {
    const good = { username: "a", email: "a@b", name: "", password: "correct-horse-battery-42" };
    await expect(createFirstUser(database.db, { ...good, ...wrong })).rejects.toMatchObject({
      code: "invalid",
      validations: [{ field }],
    });
  });
});

describe("a log-in", () => {
  const password = "correct-horse-battery-42";
  const email = "ann@example.com";
  const origin = { requestId: randomUUID(), ip: "127.0.0.1", userAgent: "test", status: 201 };

  let needs: LogInNeeds;

  beforeEach(async () => {
    const { db } = database;
    const notes = new AuditNotes({ db, clock: systemClock, logger: silentLogger });
    // Hashing may take longer than the first delay, so the clock of attempts stands still.
    needs = { db, attempts: new PasswordAttempts({ now: () => 0 }), notes };
    await createFirstUser(db, { username: "ann", email, name: "", password });
  });

  async function findId(): Promise<string> {
    const ann = database.db.selectFrom("users").where("username", "=", "ann").select("id");
    return (await ann.executeTakeFirstOrThrow()).id;
  }

  /** Resolves to the code of each of `times` attempts with a wrong password. */
  async function fail(times: number, account: string, from = origin): Promise<readonly string[]> {
    const codes: string[] = [];
    for (let at = 0; at < times; at += 1) {
      const refusal = await logIn(needs, { email: account, password: `wrong ${at}` }, from).catch(
        (error: unknown) => error,
      );
      codes.push(refusal instanceof Refusal ? refusal.code : "none");
    }
    return codes;
  }

  it("is slowed down after five failures, whether the account exists or not", async () => {
    const expected = [...Array<string>(5).fill("unauthenticated"), "rate-limited", "rate-limited"];
    // In any letter case and, unlike the right password, for any account.
    expect(await fail(7, "ANN@example.com")).toEqual(expected);
    expect(await fail(7, "nobody@example.com")).toEqual(expected);
    await expect(logIn(needs, { email, password }, origin)).rejects.toMatchObject({
      code: "rate-limited",
      retryAfterSeconds: 1,
    });
    const elsewhere = { ...origin, ip: "192.0.2.7" };
    expect(await logIn(needs, { email, password }, elsewhere)).toContain("-");
  });

  it("succeeds however many come together, also after a mistake", async () => {
    await fail(1, email);
    const start = () => logIn(needs, { email, password }, origin);
    const tokens = await Promise.all(Array.from({ length: 16 }, start));
    expect(new Set(tokens).size).toBe(16);
  });

  it("that fails is noted once an address, and of accounts that do not exist never", async () => {
    await fail(7, email);
    await fail(2, email, { ...origin, ip: "192.0.2.7" });
    await fail(7, "nobody@example.com");
    await needs.notes[Symbol.asyncDispose]();
    const entries = await database.db
      .selectFrom("audit_log")
      .where("action", "=", "login")
      .select(["user_id", "ip", "status_code"])
      .orderBy("ip")
      .execute();
    const user_id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(entries).toEqual([
      { user_id, ip: "127.0.0.1", status_code: 401 },
      { user_id, ip: "192.0.2.7", status_code: 401 },
    ]);
  });

  it("gives a token for the right password, whatever the case of the address", async () => {
    const token = await logIn(needs, { email: "Ann@Example.com", password }, origin);
    expect(await ask("/user", token)).toMatchObject({ status: 200, body: { username: "ann" } });
  });

  it("does not tell a wrong password from an unknown user", async () => {
    const refusal = { code: "unauthenticated", message: "Incorrect email or password." };
    await expect(logIn(needs, { email, password: "wrong" }, origin)).rejects.toMatchObject(refusal);
    await expect(
      logIn(needs, { email: "bob@example.com", password }, origin),
    ).rejects.toMatchObject(refusal);
  });

  it("makes no session by a password that is changed while it is checked", async () => {
    const { db } = database;
    const user = { id: await findId(), username: "ann" };
    const by = { id: user.id, origin: undefined };
    await using change = await holdOpen(db, (trx) => storePassword(trx, by, user, "another"));
    const late = logIn(needs, { email, password }, origin);
    const refused = expect(late).rejects.toMatchObject({ code: "unauthenticated" });
    await waitForBlocked(db);
    await change.commit();
    await refused;
    expect(await db.selectFrom("api_keys").selectAll().execute()).toEqual([]);
  });

  it("changes no password by one that is changed while it is checked", async () => {
    const { db } = database;
    const user = { id: await findId(), username: "ann" };
    const caller = { ...user, roles: [], keyId: "", grant: fullGrant, origin };
    await using change = await holdOpen(db, (trx) => storePassword(trx, caller, user, "another"));
    const passwords = { old: password, new: "other-horse-battery-43" };
    const refused = expect(updatePassword(needs, caller, "me", passwords)).rejects.toMatchObject({
      code: "invalid",
    });
    await waitForBlocked(db);
    await change.commit();
    await refused;
    const { password_hash: hash } = await db
      .selectFrom("users")
      .where("id", "=", user.id)
      .select("password_hash")
      .executeTakeFirstOrThrow();
    expect(hash).toBe("another");
  });

  it("is refused to who is suspended", async () => {
    await database.db.updateTable("users").set({ status: "suspended" }).execute();
    await expect(logIn(needs, { email, password }, origin)).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });
});

describe("a session key", () => {
  let place: SeededWorkspace;
  let token: string;

  beforeEach(async () => {
    place = await seedWorkspace(database.db);
    token = await createSession(database.db, place.userId, keyLifetimes.commandSession);
  });

  /** Resolves to the seconds until the key expires, and since its last use and the user's. */
  async function times() {
    const { rows } = await sql<{ left: number; used: number | null; seen: number | null }>`
      select extract(epoch from expires_at - now())::float8 as left,
        extract(epoch from now() - last_used)::float8 as used,
        extract(epoch from now() - last_seen_at)::float8 as seen
      from api_keys join users on users.id = user_id`.execute(database.db);
    return rows[0] ?? { left: 0, used: null, seen: null };
  }

  async function setKey(expiresIn: string, usedAgo: string): Promise<void> {
    await sql`update api_keys set expires_at = now() + ${expiresIn}::interval,
      last_used = now() - ${usedAgo}::interval`.execute(database.db);
  }

  it("says who calls", async () => {
    expect(await ask("/user", token)).toEqual({
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
    expect(await ask("/user", bad)).toEqual({
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
    const { status, body } = await ask("/user", wrong);
    expect([status, body]).toMatchObject([401, { detail: "API key secret is invalid." }]);
  });

  it("refuses a key that expired, and says since when", async () => {
    await setKey("-1 second", "0 seconds");
    const { status, body } = await ask("/user", token);
    expect([status, body]).toMatchObject([
      401,
      { detail: expect.stringMatching(/^API key expired at "2\d{3}-.*Z"\.$/) },
    ]);
  });

  it("slides its expiry and notes its use after an hour", async () => {
    await setKey("1 minute", "61 minutes");
    expect((await ask("/user", token)).status).toBe(200);
    const { left, used, seen } = await times();
    expect(left).toBeGreaterThan(keyLifetimes.commandSession - 60);
    expect(left).toBeLessThanOrEqual(keyLifetimes.commandSession);
    expect(used).toBeLessThan(60);
    expect(seen).toBeLessThan(60);
  });

  it("writes nothing for a key that was used within the hour", async () => {
    await setKey("1 minute", "59 minutes");
    expect((await ask("/user", token)).status).toBe(200);
    const { left, used, seen } = await times();
    expect(left).toBeLessThanOrEqual(60);
    expect(used).toBeGreaterThan(58 * 60);
    expect(seen).toBeNull();
  });

  it("never shortens what is left of a key", async () => {
    await setKey("30 days", "2 hours");
    await ask("/user", token);
    expect((await times()).left).toBeGreaterThan(29 * 24 * 3600);
  });

  it("is worth nothing after its end, and to users who are gone or suspended", async () => {
    await database.db.updateTable("users").set({ status: "suspended" }).execute();
    expect(await ask("/user", token)).toMatchObject({
      status: 401,
      body: {
        message:
          'User is not active (status = "suspended"). Contact an admin to reactivate your account.',
      },
    });
    await database.db.updateTable("users").set({ status: "active", deleted: true }).execute();
    expect((await ask("/user", token)).status).toBe(401);
    await database.db.updateTable("users").set({ deleted: false }).execute();
    expect((await ask("/user", token)).status).toBe(200);
    await endSession(database.db, token.slice(0, 10));
    expect((await ask("/user", token)).status).toBe(401);
  });
});

describe("an agent token", () => {
  const token = randomUUID();
  let place: SeededWorkspace;

  beforeEach(async () => {
    place = await seedWorkspace(database.db);
  });

  type Row = readonly [Transition, JobState];

  /** Creates builds in order, the first of which has the agent; resolves to the status for its token. */
  async function statusAfter(...builds: readonly Row[]): Promise<number> {
    for (const [index, [transition, job]] of builds.entries()) {
      // The job of a pending build blocks others.
      const build = await seedBuild(database.db, place, {
        number: index + 1,
        transition,
        job: "succeeded",
      });
      if (index === 0) await seedAgent(database.db, build, token);
      if (index === builds.length - 1 || job === "failed") {
        await setJob(database.db, build.jobId, job);
      }
    }
    return (await ask("/agent", token)).status;
  }

  it.each<readonly [number, readonly Row[]]>([
    [200, [["start", "pending"]]],
    [200, [["start", "running"]]],
    [200, [["start", "succeeded"]]],
    [200, [["start", "failed"]]],
    [200, [["stop", "running"]]],
    [
      200,
      [
        ["start", "succeeded"],
        ["stop", "pending"],
      ],
    ],
    [
      200,
      [
        ["start", "succeeded"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["stop", "succeeded"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["stop", "failed"],
      ],
    ],
    [
      401,
      [
        ["start", "failed"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["stop", "succeeded"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["start", "pending"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["delete", "pending"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["stop", "succeeded"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["start", "succeeded"],
        ["stop", "running"],
      ],
    ],
  ])("is answered with %i for the builds %j", async (status, builds) => {
    expect(await statusAfter(...builds)).toBe(status);
  });

  it("says which agent calls, in any form of the token", async () => {
    const build = await seedBuild(database.db, place, {
      number: 1,
      transition: "start",
      job: "succeeded",
    });
    const agentId = await seedAgent(database.db, build, token);
    const { status, body } = await ask("/agent", `{${token.toUpperCase()}}`);
    expect([status, body]).toEqual([
      200,
      {
        agentId,
        agentName: "main",
        buildId: build.buildId,
        workspaceId: place.workspaceId,
        ownerId: place.userId,
        authenticatedAt: expect.any(String),
      },
    ]);
  });

  it("is worth nothing once its agent or its workspace is deleted", async () => {
    expect(await statusAfter(["start", "succeeded"])).toBe(200);
    await database.db.updateTable("workspaces").set({ deleted: true }).execute();
    expect((await ask("/agent", token)).status).toBe(401);
    await database.db.updateTable("workspaces").set({ deleted: false }).execute();
    await database.db.updateTable("workspace_agents").set({ deleted: true }).execute();
    expect((await ask("/agent", token)).status).toBe(401);
  });

  it.each([
    [undefined, { message: 'Cookie "coder_session_token" must be provided.' }],
    [
      "abc",
      {
        message: "Workspace agent token invalid.",
        detail: "An agent token must be a valid UUIDv4. (len 3)",
      },
    ],
    [randomUUID(), { message: "Workspace agent not authorized." }],
  ])("refuses %j", async (bad, body) => {
    expect(await ask("/agent", bad)).toMatchObject({ status: 401, body });
  });
});
