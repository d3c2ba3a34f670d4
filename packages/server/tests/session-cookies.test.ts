import { logIn } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask } from "./support/app-world.ts";
import { tokenOf } from "./support/apps-site.ts";
import { type ExternalAuthWorld, openExternalAuthWorld } from "./support/external-auth-world.ts";
import { testPassword as password } from "./support/people.ts";

/* Cookies that the page of an app on a sibling domain sets for the server, and pages that act for an account. */

let world: ExternalAuthWorld;

beforeAll(async () => {
  world = await openExternalAuthWorld();
});

afterAll(() => world[Symbol.asyncDispose]());

const html = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

/** Returns the cookies of the victim's browser: the one with the longer path comes first. */
function tossed(name = "coder_session_token"): string {
  return `${name}=${tokenOf(world.eve.client)}; ${name}=${tokenOf(world.ada.client)}`;
}

describe("several session cookies that differ", () => {
  it("are refused by the API, and deleted", async () => {
    const headers = { Cookie: tossed() };
    const answer = await ask(world.server.url, "/api/v2/users/me", { headers });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({
      message: "This browser sent several session cookies that differ, so none of them counts.",
    });
    expect(answer.headers["set-cookie"]).toContain("coder_session_token=; Max-Age=0; Path=/");
    expect(answer.headers["set-cookie"]).toContain("coder_session_token=; Max-Age=0; Path=/api/v2");
  });

  it.each(["/external-auth/git", "/external-auth/git/callback?code=x&state=y"])(
    "are refused with a page at %s, and deleted",
    async (path) => {
      const answer = await ask(world.server.url, path, { headers: { ...html, Cookie: tossed() } });
      expect(answer.status).toBe(401);
      expect(answer.text).toContain("several session cookies");
      expect(answer.headers["set-cookie"]).toContain(
        "coder_session_token=; Max-Age=0; Path=/external-auth",
      );
    },
  );

  it("are refused with a page at a path app", async () => {
    const headers = { ...html, Cookie: tossed() };
    const answer = await ask(world.server.url, "/@ada/dev/apps/web/", { headers });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("several session cookies");
    expect(answer.headers["set-cookie"]).toContain("coder_session_token=; Max-Age=0; Path=/");
  });

  it("count as one if they are the same", async () => {
    const cookie = `coder_session_token=${tokenOf(world.ada.client)}`;
    const headers = { Cookie: `${cookie}; ${cookie}` };
    expect(await ask(world.server.url, "/api/v2/users/me", { headers })).toMatchObject({
      status: 200,
    });
  });
});

describe("the pages of a provider", () => {
  it("name the account that they act for", async () => {
    const { text } = await world.browserOf(world.ada).ask("/external-auth/git");
    expect(text).toContain("You are signed in as <strong>ada</strong>.");
  });

  it("take a form from the session only to which it was shown", async () => {
    const [mine, theirs] = [world.browserOf(world.ada), world.browserOf(world.eve)];
    const email = world.ada.user.email;
    const again = { ...world.ada, client: await logIn(world.server.url, { email, password }) };
    const nonces = [await theirs.nonceOf("git"), await world.browserOf(again).nonceOf("git")];
    for (const body of [...nonces.map((nonce) => `nonce=${nonce}`), "nonce=x", ""]) {
      const refused = await mine.ask("/external-auth/git", "POST", body);
      expect(refused).toMatchObject({ status: 403 });
      expect(refused.text).toContain("You are signed in as ada.");
      expect(refused.headers).not.toHaveProperty("refresh");
    }
    expect(
      await mine.ask("/external-auth/other", "POST", `nonce=${await mine.nonceOf("git")}`),
    ).toMatchObject({ status: 403 });
    const own = await mine.ask("/external-auth/git", "POST", `nonce=${await mine.nonceOf("git")}`);
    expect(own.status).toBe(200);
    expect(own.text).toContain("to log in there for <strong>ada</strong>");
    expect(own.headers).toHaveProperty("refresh");
  });
});
