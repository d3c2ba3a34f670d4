import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";
import { addPerson, type Client, testPassword } from "./support/people.ts";

let server: OpenServer;
const opened = new AsyncDisposableStack();

beforeAll(async () => {
  server = opened.use(
    await openServer(inject("postgresUrl"), {
      SLIPWAY_MAX_SESSION_DAYS: "10",
      SLIPWAY_MAX_IDLE_SESSION_HOURS: "6",
    }),
  );
});
afterAll(() => opened.disposeAsync());

/** Logs a user in as a browser of that name does. */
async function logIn(username: string, userAgent: string): Promise<Client["headers"]> {
  const response = await fetch(`${server.url}/api/v2/users/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "User-Agent": userAgent },
    body: JSON.stringify({ email: `${username}@example.com`, password: testPassword }),
  });
  const { session_token: token } = Object(await response.json());
  return { "Coder-Session-Token": String(token) };
}

async function status(headers: Client["headers"], path = "/users/me"): Promise<number> {
  return (await server.request("GET", path, undefined, { headers })).status;
}

const idOf = (headers: Client["headers"]): string =>
  (headers["Coder-Session-Token"] ?? "").split("-")[0] ?? "";

describe("the sessions of a user", () => {
  it("are listed with their addresses and browsers", async () => {
    const { client } = await addPerson(server, "ann");
    const laptop = await logIn("ann", "Laptop/1.0");
    const { body } = await server.request("GET", "/users/me/sessions", undefined, client);
    expect(body).toHaveLength(2);
    expect(body).toContainEqual(
      expect.objectContaining({
        id: idOf(laptop),
        is_current: false,
        login_type: "password",
        ip: "127.0.0.1",
        user_agent: "Laptop/1.0",
        last_used: "1970-01-01T00:00:00Z",
      }),
    );
    expect(body).toContainEqual(expect.objectContaining({ is_current: true }));
    // The use of a session is recorded with its address.
    const elsewhere = server.db.updateTable("api_keys").set({ ip: "192.0.2.1" });
    await elsewhere.where("id", "=", idOf(laptop)).execute();
    await server.request("GET", "/users/me", undefined, {
      headers: { ...laptop, "User-Agent": "Phone/2.0" },
    });
    const used = await server.request("GET", "/users/me/sessions", undefined, client);
    expect(used.body).toContainEqual(
      expect.objectContaining({ id: idOf(laptop), ip: "127.0.0.1", user_agent: "Phone/2.0" }),
    );
  });

  it("are no tokens, and those of no one else", async () => {
    const { client, user } = await addPerson(server, "bea");
    await server.request("POST", "/users/me/keys/tokens", { token_name: "ci" }, client);
    const mine = await server.request("GET", "/users/me/sessions", undefined, client);
    expect(mine.body).toHaveLength(1);
    const eve = await addPerson(server, "eve");
    for (const method of ["GET", "DELETE"]) {
      const path = `/users/${user.id}/sessions`;
      expect((await server.request(method, path, undefined, eve.client)).status).toBe(404);
    }
  });

  it("end one by one, or all but the current one", async () => {
    const { client } = await addPerson(server, "cid");
    const [one, two, three] = [
      await logIn("cid", "1"),
      await logIn("cid", "2"),
      await logIn("cid", "3"),
    ];
    await server.request("DELETE", `/users/me/keys/${idOf(one)}`, undefined, client);
    expect([await status(one), await status(two)]).toEqual([401, 200]);
    expect((await server.request("DELETE", "/users/me/sessions", undefined, client)).status).toBe(
      204,
    );
    expect([await status(two), await status(three), await status(client.headers)]).toEqual([
      401, 401, 200,
    ]);
    // An owner ends all of them.
    await server.request("DELETE", "/users/cid/sessions");
    expect(await status(client.headers)).toBe(401);
  });

  it("end after a time, and when they are not used, by the present limits", async () => {
    await addPerson(server, "dot");
    const age = async (headers: Client["headers"], created: string, used: string | null) => {
      const at = (text: string): string => new Date(Date.now() - hours(text)).toISOString();
      await server.db
        .updateTable("api_keys")
        .set({
          created_at: at(created),
          last_used: used === null ? null : at(used),
          expires_at: new Date(Date.now() + hours("100")).toISOString(),
        })
        .where("id", "=", idOf(headers))
        .execute();
      return status(headers);
    };
    const browser = await logIn("dot", "x");
    expect(await age(browser, "239", "5.9")).toBe(200);
    expect(await age(browser, "241", "0.1")).toBe(401);
    expect(await age(browser, "10", "6.1")).toBe(401);
    expect(await age(browser, "6.1", null)).toBe(401);
    expect(await age(browser, "5.9", null)).toBe(200);
  });
});

function hours(text: string): number {
  return Number(text) * 3600 * 1000;
}
