import { WebBrowser } from "@slipway/testkit/oauth";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { type Answer, openReplica, type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";

let server: OpenServer;
let replica: { readonly url: string };
const opened = new AsyncDisposableStack();
const nobody = { headers: {} };

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  replica = opened.use(await openReplica(server));
});
afterAll(() => opened.disposeAsync());

interface Begun {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
}

async function begin(): Promise<Begun> {
  const { status, body } = await server.request("POST", "/users/login/device", undefined, nobody);
  expect(status).toBe(201);
  return Object(body);
}

const approve = (client: Client, code: string): Promise<Answer> =>
  server.request("POST", "/users/login/device/approval", { user_code: code }, client);

/** Asks for the session of a login; resolves to its user, or to the detail of the refusal. */
async function redeem(
  deviceCode: string,
  url = server.url,
  program = "a program",
): Promise<unknown> {
  const response = await fetch(`${url}/api/v2/users/login/device/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "User-Agent": program },
    body: JSON.stringify({ device_code: deviceCode }),
  });
  const { session_token: token, detail } = Object(await response.json());
  if (token === undefined) return detail;
  const headers = { "Coder-Session-Token": String(token) };
  const { body } = await server.request("GET", "/users/me", undefined, { headers });
  return Object(body).username;
}

describe("a login by a code", () => {
  it("waits for the approval, and gives one session on any replica", async () => {
    const { client } = await addPerson(server, "ann");
    const login = await begin();
    expect(await redeem(login.device_code)).toBe("authorization_pending");
    expect((await approve(client, login.user_code.toLowerCase())).status).toBe(204);
    const answers = await Promise.all(
      [server.url, replica.url, server.url].map((url) => redeem(login.device_code, url)),
    );
    expect(answers.filter((answer) => answer === "ann")).toHaveLength(1);
    expect(await redeem(login.device_code)).toBe("authorization_pending");
    const { body } = await server.request("GET", "/users/me/sessions", undefined, client);
    expect(body).toHaveLength(2);
  });

  it("is approved on a page, by a person who is logged in", async () => {
    const { client } = await addPerson(server, "bea");
    const login = await begin();
    const browser = new WebBrowser();
    const form = await browser.open(login.verification_uri_complete);
    expect(new URL(form.url).pathname).toBe("/login");
    const query = `?code=${login.user_code}`;
    expect(new URL(form.url).searchParams.get("redirect")).toBe(`/login/device${query}`);
    browser.setCookie(
      server.url,
      "coder_session_token",
      client.headers["Coder-Session-Token"] ?? "",
    );
    const page = await browser.open(login.verification_uri_complete);
    expect(page.text).toContain("You are signed in as <strong>bea</strong>");
    const wrong = await browser.submit(page, { code: "<b>WRONG" });
    expect(wrong.text).toContain("This is not a code of this server.");
    expect(wrong.text).not.toContain("<b>");
    const done = await browser.submit(page, { code: login.user_code });
    expect(done.text).toContain("The program is logged in as <strong>bea</strong>");
    expect(await redeem(login.device_code)).toBe("bea");
  });

  it("is approved by no form of another session or site", async () => {
    const { client } = await addPerson(server, "cid");
    const { client: mallory } = await addPerson(server, "mallory");
    const login = await begin();
    const browser = new WebBrowser();
    const logIn = (one: Client): void =>
      browser.setCookie(
        server.url,
        "coder_session_token",
        one.headers["Coder-Session-Token"] ?? "",
      );
    logIn(mallory);
    const page = await browser.open(login.verification_uri_complete);
    logIn(client);
    const answer = await browser.submit(page, { code: login.user_code });
    expect(answer.text).toContain("This form has expired.");
    expect(await redeem(login.device_code)).toBe("authorization_pending");
  });

  it("ends with the session that approved it", async () => {
    const { client } = await addPerson(server, "dot");
    const login = await begin();
    await approve(client, login.user_code);
    await server.request("DELETE", "/users/dot/sessions");
    expect(await redeem(login.device_code)).toBe("authorization_pending");
  });

  it("is not approved by a session that has expired", async () => {
    const { client, user } = await addPerson(server, "hana");
    const login = await begin();
    await approve(client, login.user_code);
    const past = { expires_at: new Date(Date.now() - 1_000).toISOString() };
    await server.db.updateTable("api_keys").set(past).where("user_id", "=", user.id).execute();
    expect(await redeem(login.device_code)).toBe("authorization_pending");
  });

  it("is refused, which its program learns", async () => {
    const { client } = await addPerson(server, "ines");
    const login = await begin();
    const path = "/users/login/device/refusal";
    const answer = await server.request("POST", path, { user_code: login.user_code }, client);
    expect(answer.status).toBe(204);
    expect(await redeem(login.device_code)).toBe("access_denied");
    const { client: other } = await addPerson(server, "jo");
    await approve(other, login.user_code);
    expect(await redeem(login.device_code)).toBe("access_denied");
  });

  it("shows whoever looks at a code which program waits for it, on any replica", async () => {
    const { client, user } = await addPerson(server, "kay");
    for (const userAgent of ["one program", "another program"]) {
      const login = await begin();
      const found = server.request(
        "POST",
        "/users/login/device/program",
        { user_code: login.user_code.toLowerCase() },
        client,
      );
      await vi.waitFor(async () => {
        const lookups = server.db
          .selectFrom("device_lookups")
          .where("user_id", "=", user.id)
          .where("begun_at", "is", null);
        expect(await lookups.select("user_id").execute()).toHaveLength(1);
      });
      const answer = await redeem(login.device_code, replica.url, userAgent);
      expect(answer).toBe("authorization_pending");
      const { status, body } = await found;
      const program = { ip: "127.0.0.1", user_agent: userAgent };
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { user_code: login.user_code, program },
      });
      const ageMs = Date.now() - Date.parse(Object(body).program.begun_at);
      expect(ageMs).toBeLessThan(60_000);
    }
  });

  it("is not approved by a suspended user, an old approval, or two at once", async () => {
    const { client, user } = await addPerson(server, "eve");
    const [first, second] = [await begin(), await begin()];
    await approve(client, first.user_code);
    await approve(client, second.user_code);
    expect(await redeem(first.device_code)).toBe("authorization_pending");
    await server.request("PUT", "/users/eve/status/suspend");
    expect(await redeem(second.device_code)).toBe("authorization_pending");
    await server.request("PUT", "/users/eve/status/activate");
    const old = { created_at: new Date(Date.now() - 301_000).toISOString() };
    await server.db
      .updateTable("device_approvals")
      .set(old)
      .where("user_id", "=", user.id)
      .execute();
    expect(await redeem(second.device_code)).toBe("authorization_pending");
  });

  it("is not approved by an API token, nor by someone with another user's session", async () => {
    const { client } = await addPerson(server, "fay");
    const login = await begin();
    const { body } = await server.request("POST", "/users/me/keys/tokens", {}, client);
    const made = await server.request("POST", "/users/fay/keys");
    for (const answer of [body, made.body]) {
      const headers = { "Coder-Session-Token": String(Object(answer).key) };
      const input = { user_code: login.user_code };
      for (const path of ["program", "approval", "refusal"]) {
        const address = `/users/login/device/${path}`;
        expect((await server.request("POST", address, input, { headers })).status).toBe(403);
      }
    }
  });

  it("cannot be guessed or forged", async () => {
    const { client } = await addPerson(server, "gil");
    const statuses: number[] = [];
    for (let count = 0; count < 22; count += 1) {
      statuses.push((await approve(client, "BCDFG-HJKLM")).status);
    }
    expect(new Set(statuses)).toEqual(new Set([400, 429]));
    const { device_code: code } = await begin();
    expect(await redeem(`${code.slice(0, -3)}AAA`)).toBe("expired_token");
    expect(await redeem(code.split(".").toReversed().join("."))).toBe("expired_token");
  });

  it("leaves nothing of strangers who begin it", async () => {
    await Promise.all(Array.from({ length: 20 }, begin));
    const rows = await server.db.selectFrom("device_approvals").select("user_id").execute();
    expect(rows.length).toBeLessThan(10);
  });
});
