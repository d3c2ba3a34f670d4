import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { appSettings } from "./support/app-stage.ts";
import { ask } from "./support/app-world.ts";
import { holdOpen } from "./support/lock-waits.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/* Strangers on app hosts, who are counted before the database is queried. */

let server: OpenServer;
/** Each has a separate count. */
let lastAddress = 0;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"), {
    ...appSettings,
    SLIPWAY_TRUSTED_PROXIES: "127.0.0.1",
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const codeParameter = "coder_application_connect_api_key_35e783";

it.each([
  ["for an app that nobody knows", "/", {}, 401],
  [
    "with an invented token",
    "/",
    { "Coder-Session-Token": "abcdefghij-0123456789012345678901" },
    401,
  ],
  ["with an invented code", `/?${codeParameter}=x`, { "Sec-Fetch-Mode": "navigate" }, 400],
  [
    "with an invented code and token",
    `/?${codeParameter}=x`,
    { "Sec-Fetch-Mode": "navigate", "Coder-Session-Token": "abcdefghij-0123456789012345678901" },
    400,
  ],
])(
  "a request %s that exceeds the limit asks the database nothing",
  async (_what, path, own, status) => {
    lastAddress += 1;
    const { port } = new URL(server.url);
    const host = `8080--main--dev--nobody.apps.test:${port}`;
    const headers = { ...own, "X-Forwarded-For": `192.0.2.${lastAddress}` };
    const send = async () => (await ask(server.url, path, { host, headers })).status;
    const sendMany = () => Array.from({ length: 64 }, send);
    const statuses = new Set<number>();
    while (!statuses.has(429)) for (const one of await Promise.all(sendMany())) statuses.add(one);
    expect(statuses).toEqual(new Set([status, 429]));
    // A request that reads one of these tables waits, as do the few that the limit admits as time passes.
    await using locked = await holdOpen(server.db, (trx) => {
      return sql`lock table users, api_keys, workspaces, workspace_agents in access exclusive mode`.execute(
        trx,
      );
    });
    const sending = sendMany();
    expect(await Promise.race(sending)).toBe(429);
    await locked.commit();
    await Promise.all(sending);
  },
);
