import { listExternalAuth } from "@slipway/api/external-auth/routes";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { type ExternalAuthWorld, openExternalAuthWorld } from "./support/external-auth-world.ts";

/* The provider's redirect back, and the sessions that may use it. */

let world: ExternalAuthWorld;

beforeAll(async () => {
  world = await openExternalAuthWorld();
});

afterEach(() => world.reset());

afterAll(() => world[Symbol.asyncDispose]());

describe("a callback", () => {
  it("counts once, and only in the session that began", async () => {
    const [mine, theirs] = [world.browserOf(world.ada), world.browserOf(world.eve)];
    const callback = await mine.visit(await mine.begin("git"));
    // The other session has a different open login, or none.
    expect(await theirs.ask(callback)).toMatchObject({ status: 400 });
    await theirs.begin("git");
    expect(await theirs.ask(callback)).toMatchObject({ status: 400 });
    expect(await mine.ask(callback)).toMatchObject({ status: 303 });
    expect(await mine.ask(callback)).toMatchObject({ status: 400 });
    expect((await world.eve.client.call(listExternalAuth, {})).links).toEqual([]);
  });

  it("is of no use with the cookie of another session or provider", async () => {
    const mine = world.browserOf(world.ada);
    const callback = await mine.visit(await mine.begin("git"));
    const stolen = /slipway_external_auth=[^;]+/.exec(mine.cookies)?.[0] ?? "";
    const session = `coder_session_token=${world.eve.client.headers["Coder-Session-Token"]}`;
    const answer = await fetch(`${world.server.url}${callback}`, {
      headers: { Cookie: `${session}; ${stolen}` },
      redirect: "manual",
    });
    expect(answer.status).toBe(400);
    const moved = callback.replace("/git/", "/other/");
    expect(await mine.ask(moved)).toMatchObject({ status: 400 });
  });

  it.each(["state=wrong", "", "state="])("needs the state that was sent (%s)", async (state) => {
    const mine = world.browserOf(world.ada);
    const callback = await mine.visit(await mine.begin("git"));
    const changed = callback.replace(/state=[^&]*/, state);
    expect(await mine.ask(changed)).toMatchObject({ status: 400 });
  });

  it("shows the provider's refusal as text", async () => {
    const mine = world.browserOf(world.ada);
    const state = new URL(await mine.begin("git")).searchParams.get("state") ?? "";
    const query = `error=access_denied&error_description=%3Cscript%3E&state=${state}`;
    const { status, text } = await mine.ask(`/external-auth/git/callback?${query}`);
    expect(status).toBe(400);
    expect(text).toContain("access_denied: &lt;script&gt;");
  });

  it("begins nowhere but at a form of this server", async () => {
    const other = await fetch(`${world.server.url}/external-auth/git`, {
      method: "POST",
      headers: { Cookie: world.browserOf(world.ada).cookies, Origin: "https://evil.test" },
    });
    expect(other.status).toBe(403);
    const bare = await world.browserOf(world.ada).ask("/external-auth/git/callback");
    expect(bare).toMatchObject({ status: 303, headers: { location: "/external-auth/git" } });
  });

  it("needs a session", async () => {
    const answer = await fetch(`${world.server.url}/external-auth/git/callback?code=x&state=y`, {
      redirect: "manual",
    });
    expect(answer.headers.get("location")).toBe("/login?redirect=%2Fexternal-auth%2Fgit");
  });
});
