import { deleteExternalAuth, listExternalAuth } from "@slipway/api/external-auth/routes";
import { deleteUser, suspendUser } from "@slipway/api/users/routes";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  claimRefresh,
  endRefresh,
  selectLink,
  storeRefreshed,
} from "../src/features/external-auth/queries.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import {
  type ExternalAuthWorld,
  notLoggedIn,
  openExternalAuthWorld,
} from "./support/external-auth-world.ts";
import { hearHints } from "./support/hear-hints.ts";
import { addPerson } from "./support/people.ts";

/* A provider's tokens after the login: refreshed, refused, revoked. */

let world: ExternalAuthWorld;

beforeAll(async () => {
  world = await openExternalAuthWorld();
});

afterEach(() => world.reset());

afterAll(() => world[Symbol.asyncDispose]());

const params = { provider: "git" };

describe("a token", () => {
  it("is refreshed before it expires, by one request for all", async () => {
    world.provider.changeAnswer = ({ body }, grant) => {
      if (body !== "" && grant === "authorization_code") body["expires_in"] = 1;
    };
    await world.browserOf(world.ada).logIn("git");
    const replica = await world.openReplica();
    world.provider.grants.length = 0;
    await world.server.db
      .updateTable("external_auth_links")
      .set({ updated_at: new Date(Date.now() - 3_600_000).toISOString() })
      .execute();
    const urls = [world.server.url, replica.url, world.server.url, replica.url];
    const answers = await Promise.all(
      urls.map((url) => world.agentsToken("id=git", world.adasAgent, url)),
    );
    for (const { status } of answers) expect(status).toBe(200);
    const refreshed = world.provider.accepted.at(-1);
    expect((await world.agentsToken("id=git")).body).toMatchObject({ access_token: refreshed });
    expect(world.provider.grants).toEqual(["refresh_token"]);
  });

  it("is refreshed under a claim of half a minute, and not over that of a new log-in", async () => {
    const { server, ada, browserOf } = world;
    const { db } = server;
    await browserOf(ada).logIn("git");
    const read = async () => {
      const link = await selectLink(db, ada.user.id, "git");
      if (link === undefined) throw new Error("there is no link");
      return link;
    };
    const link = await read();
    expect(await claimRefresh(db, link, 30_000)).toBe(true);
    expect(await claimRefresh(db, link, 30_000)).toBe(false);
    const past = sql<string>`refreshing_until - interval '30 seconds'`;
    await db.updateTable("external_auth_links").set({ refreshing_until: past }).execute();
    expect(await claimRefresh(db, link, 30_000)).toBe(true);
    await browserOf(ada).logIn("git");
    const newer = await read();
    const tokensEncrypted = Buffer.from("old");
    await endRefresh(db, link, { tokensEncrypted, reason: "it was revoked" });
    const tokens = { tokensEncrypted, expiresAt: undefined, hasRefreshToken: false };
    expect(await storeRefreshed(db, link, tokens)).toBe(false);
    expect(await claimRefresh(db, link, 30_000)).toBe(false);
    expect(await read()).toEqual(newer);
  });

  it("that cannot be refreshed leads to a new log-in", async () => {
    world.provider.changeAnswer = (answer, grant) => {
      if (grant === "refresh_token") {
        answer.statusCode = 400;
        answer.body = { error: "invalid_grant", error_description: "it was revoked" };
      } else if (answer.body !== "") answer.body["expires_in"] = 0.01;
    };
    await world.browserOf(world.ada).logIn("git");
    await expect
      .poll(async () => (await world.agentsToken("id=git")).body)
      .toMatchObject({ ...notLoggedIn, url: `${world.server.url}/external-auth/git` });
    world.provider.grants.length = 0;
    await world.agentsToken("id=git");
    expect(world.provider.grants).toEqual([]);
    const page = await world.browserOf(world.ada).ask("/external-auth/git");
    expect(page.text).toContain("invalid_grant: it was revoked");
  });

  it("that the provider no longer accepts leads to a new log-in", async () => {
    await world.browserOf(world.ada).logIn("git");
    world.provider.accepted.length = 0;
    expect((await world.agentsToken("id=git")).body).toMatchObject(notLoggedIn);
    const { links } = await world.ada.client.call(listExternalAuth, {});
    expect(links).toMatchObject([
      { authenticated: false, validate_error: expect.stringMatching(/no longer accepts/) },
    ]);
  });

  it("is told to those who wait for it when it changes: at the log-in, a refresh, its refusal, the log-out", async () => {
    const { client, user } = world.ada;
    const isTold = async (change: () => Promise<unknown>): Promise<void> => {
      await using listening = new AsyncDisposableStack();
      const heard = await hearHints(listening, world.server, [topics.externalAuth(user.id)]);
      await change();
      await expect.poll(heard).toEqual([true]);
    };
    const refresh = async (): Promise<unknown> => {
      const old = { updated_at: new Date(Date.now() - 3_600_000).toISOString() };
      await world.server.db.updateTable("external_auth_links").set(old).execute();
      return world.agentsToken("id=git");
    };
    world.provider.changeAnswer = ({ body }) => {
      if (body !== "") body["expires_in"] = 1;
    };
    await isTold(() => world.browserOf(world.ada).logIn("git"));
    await isTold(refresh);
    world.provider.changeAnswer = (answer) => {
      answer.statusCode = 400;
      answer.body = { error: "invalid_grant" };
    };
    await isTold(refresh);
    await isTold(() => client.call(deleteExternalAuth, { params }));
  });

  it("ends with the log-out, at the provider too", async () => {
    await world.browserOf(world.ada).logIn("git");
    const removed = await world.ada.client.call(deleteExternalAuth, { params });
    expect(removed).toEqual({ token_revoked: true });
    expect(world.provider.accepted).toEqual([]);
    await expect(world.ada.client.call(deleteExternalAuth, { params })).rejects.toMatchObject({
      status: 404,
    });
  });

  it("ends at GitHub in its own way, and says so when GitHub does not", async () => {
    await world.browserOf(world.ada).logIn("hub");
    const token = world.provider.accepted.at(-1) ?? "";
    const logOut = { params: { provider: "hub" } };
    expect(await world.ada.client.call(deleteExternalAuth, logOut)).toEqual({
      token_revoked: true,
    });
    const credentials = Buffer.from("slipway:the secret of the client").toString("base64");
    expect(world.github.asked).toEqual([
      {
        method: "DELETE",
        url: "/applications/slipway/grant",
        authorization: `Basic ${credentials}`,
        body: { access_token: token },
      },
    ]);
    for (const status of [404, 503]) {
      world.github.status = status;
      await world.browserOf(world.ada).logIn("hub");
      expect(await world.ada.client.call(deleteExternalAuth, logOut)).toEqual({
        token_revoked: false,
        token_revocation_error: `it answered with status ${status}`,
      });
    }
    const { links } = await world.ada.client.call(listExternalAuth, {});
    expect(links).toEqual([]);
  });

  it("ends with its user, whose suspended agents get none", async () => {
    const { user, client } = await addPerson(world.server, "zoe");
    await world.browserOf({ user, client }).logIn("git");
    await world.server.admin.call(deleteUser, { params: { user: user.id } });
    expect(await world.server.db.selectFrom("external_auth_links").selectAll().execute()).toEqual(
      [],
    );
    await world.browserOf(world.ada).logIn("git");
    const ofAda = { params: { user: world.ada.user.id } };
    await world.server.admin.call(suspendUser, ofAda);
    expect((await world.agentsToken("id=git")).status).toBe(403);
  });
});
