import { randomUUID, scryptSync } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AuditNotes } from "../src/features/audit/note-service.ts";
import { createFirstUser } from "../src/features/users/admin-service.ts";
import { storePassword, updatePassword } from "../src/features/users/password-service.ts";
import {
  logIn,
  type LogInNeeds,
  selectCredentials,
} from "../src/features/users/session-service.ts";
import { PasswordAttempts } from "../src/platform/auth/password-attempts.ts";
import { Refusal } from "../src/platform/errors/errors.ts";
import { fullGrant } from "../src/platform/http/caller.ts";
import { type CallerApp, openCallerApp } from "./support/caller-app.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";

let app: CallerApp;

beforeEach(async () => {
  app = await openCallerApp();
});

afterEach(() => app[Symbol.asyncDispose]());

describe("a log-in", () => {
  const password = "correct-horse-battery-42";
  const email = "ann@example.com";
  const origin = { requestId: randomUUID(), ip: "127.0.0.1", userAgent: "test", status: 201 };

  let needs: LogInNeeds;

  beforeEach(async () => {
    const { db } = app.database;
    const notes = new AuditNotes({ db, clock: systemClock, logger: silentLogger });
    // Hashing may take longer than the first delay, so the attempts use a stopped clock.
    needs = { db, attempts: new PasswordAttempts({ now: () => 0 }), notes };
    await createFirstUser(db, { username: "ann", email, name: "", password });
  });

  async function findId(): Promise<string> {
    const ann = app.database.db.selectFrom("users").where("username", "=", "ann").select("id");
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
    // In any letter case and, unlike the correct password, for any account.
    expect(await fail(7, "ANN@example.com")).toEqual(expected);
    expect(await fail(7, "nobody@example.com")).toEqual(expected);
    await expect(logIn(needs, { email, password }, origin)).rejects.toMatchObject({
      code: "rate-limited",
      retryAfterSeconds: 1,
    });
    const elsewhere = { ...origin, ip: "192.0.2.7" };
    expect((await logIn(needs, { email, password }, elsewhere)).token).toContain("-");
  });

  it("counts failures together with changes of the password, in whatever session", async () => {
    const user = { id: await findId(), username: "ann", roles: [], grant: fullGrant, origin };
    const passwords = { old: "wrong", new: "other-horse-battery-43" };
    for (const keyId of ["one", "another", "one", "another", "one"]) {
      const change = updatePassword(needs, { ...user, keyId }, "me", passwords);
      await expect(change).rejects.toMatchObject({ code: "invalid" });
    }
    await expect(
      updatePassword(needs, { ...user, keyId: "another" }, "me", passwords),
    ).rejects.toMatchObject({ code: "rate-limited" });
    expect(await fail(1, email)).toEqual(["rate-limited"]);
  });

  it("succeeds however many come together, also after a mistake", async () => {
    await fail(1, email);
    const start = async () => (await logIn(needs, { email, password }, origin)).token;
    const tokens = await Promise.all(Array.from({ length: 16 }, start));
    expect(new Set(tokens).size).toBe(16);
  });

  it("makes the hash of an earlier release anew, however many come together", async () => {
    const salt = Buffer.alloc(16);
    const key = scryptSync(password, salt, 32, { N: 16_384, r: 8, p: 1 }).toString("base64url");
    const former = `scrypt$16384$8$1$${salt.toString("base64url")}$${key}`;
    const user = app.database.db.updateTable("users").where("username", "=", "ann");
    await user.set({ password_hash: former }).execute();
    await fail(1, email);
    const read = () => selectCredentials(app.database.db, email);
    expect(await read()).toMatchObject({ password_hash: former });
    const start = async () => (await logIn(needs, { email, password }, origin)).token;
    const tokens = await Promise.all(Array.from({ length: 4 }, start));
    expect(new Set(tokens).size).toBe(4);
    expect((await read())?.password_hash).toMatch(/^\$argon2id\$/);
    for (const token of tokens)
      expect(await app.ask("/user", token)).toMatchObject({ status: 200 });
    expect(await start()).toContain("-");
  });

  it("that fails is noted once an address, and of accounts that do not exist never", async () => {
    await fail(7, email);
    await fail(2, email, { ...origin, ip: "192.0.2.7" });
    await fail(7, "nobody@example.com");
    await needs.notes[Symbol.asyncDispose]();
    const entries = await app.database.db
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
    const { token } = await logIn(needs, { email: "Ann@Example.com", password }, origin);
    expect(await app.ask("/user", token)).toMatchObject({ status: 200, body: { username: "ann" } });
  });

  it("does not tell a wrong password from an unknown user", async () => {
    const refusal = { code: "unauthenticated", message: "Incorrect email or password." };
    await expect(logIn(needs, { email, password: "wrong" }, origin)).rejects.toMatchObject(refusal);
    await expect(
      logIn(needs, { email: "bob@example.com", password }, origin),
    ).rejects.toMatchObject(refusal);
  });

  it("makes no session by a password that is changed while it is checked", async () => {
    const { db } = app.database;
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
    const { db } = app.database;
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
    await app.database.db.updateTable("users").set({ status: "suspended" }).execute();
    await expect(logIn(needs, { email, password }, origin)).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });
});
