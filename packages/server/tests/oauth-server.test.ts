import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import { pushTemplate } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { callback, OauthProgram, tokensOf } from "./support/oauth-program.ts";
import { type OpenServer, openReplica, openServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";

/* Programs that log in for users: the client of the MCP's authors, and the life of what it is granted. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let ada: Person;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  await pushTemplate(
    server.admin,
    "outside",
    "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n",
  );
  ada = await addPerson(server, "ada");
});
afterAll(() => opened.disposeAsync());

/** Keeps what a real client keeps, and notes the address that it opens in a browser. */
class KeepingProvider implements OAuthClientProvider {
  readonly redirectUrl = callback;
  readonly clientMetadata = {
    client_name: "Real client",
    redirect_uris: [callback],
    grant_types: ["authorization_code", "refresh_token"],
  };
  opens: URL | undefined;
  held: StoredOAuthTokens | undefined;
  #client: StoredOAuthClientInformation | undefined;
  #discovered: OAuthDiscoveryState | undefined;
  #verifier = "";

  state(): string {
    return "state-of-the-client";
  }
  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#client;
  }
  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.#client = client;
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.held;
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.held = tokens;
  }
  redirectToAuthorization(url: URL): void {
    this.opens = url;
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
  codeVerifier(): string {
    return this.#verifier;
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovered;
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovered = state;
  }
}

it("logs in a client that knows only the URL of the endpoint, and refreshes its tokens", async () => {
  const authProvider = new KeepingProvider();
  const endpoint = new URL("/api/v2/mcp", server.url);
  const connect = async () => {
    const client = new Client({ name: "test", version: "1" });
    const transport = new StreamableHTTPClientTransport(endpoint, { authProvider });
    return { client, transport, connected: client.connect(transport) };
  };
  const first = await connect();
  await expect(first.connected).rejects.toThrow(UnauthorizedError);
  const program = await OauthProgram.register(server);
  const { pathname, search } = authProvider.opens ?? new URL(server.url);
  const back = await program.decide(ada, "allow", `${pathname}${search}`);
  expect(back.href).toMatch(/^http:\/\/127\.0\.0\.1:33418\/callback\?code=/);
  expect(back.searchParams.get("state")).toBe("state-of-the-client");
  await first.transport.finishAuth(back.searchParams);

  const second = await connect();
  await second.connected;
  const listed = await second.client.callTool({ name: "list_templates", arguments: {} });
  expect(listed.structuredContent).toMatchObject({ templates: [{ name: "outside" }] });

  const before = authProvider.held;
  // As if it had expired.
  await sql`update api_keys set hashed_secret = '' where token_name like 'oauth-real-client-%'`.execute(
    server.db,
  );
  const third = await second.client.callTool({ name: "list_workspaces", arguments: {} });
  expect(third.structuredContent).toMatchObject({ count: 0 });
  expect(authProvider.held?.access_token).not.toBe(before?.access_token);
});

describe("what a program was granted", () => {
  it("is listed with the user's tokens, with its scopes, and works for them alone", async () => {
    const program = await OauthProgram.register(server, "Some Editor 2.0");
    const { access } = await program.logIn(ada);
    const listed = await server.request("GET", "/users/me/keys/tokens", undefined, ada.client);
    expect(listed.body).toContainEqual(
      expect.objectContaining({
        token_name: expect.stringMatching(/^oauth-some-editor-2-0-[0-9a-f]{8}$/),
        scopes: ["coder:workspaces.access", "coder:workspaces.create", "coder:workspaces.operate"],
        lifetime_seconds: 3_600,
      }),
    );
    expect(await statusWith(access, "/workspaces")).toBe(200);
    expect(await statusWith(access, "/users/me/keys/tokens")).toBe(403);
  });

  it("may be less than everything", async () => {
    const program = await OauthProgram.register(server);
    const path = program.authorizePath({ scope: "coder:workspaces.operate offline_access" });
    const { searchParams } = await program.decide(ada, "allow", path);
    const { body } = await program.redeem(searchParams.get("code") ?? "");
    expect(body).toMatchObject({ scope: "coder:workspaces.operate", token_type: "Bearer" });
  });

  it("allows deleting workspaces only if the program asked for that", async () => {
    const endpoint = new URL("/api/v2/mcp", server.url);
    const toolsOf = async (changes: Readonly<Record<string, string>>): Promise<string[]> => {
      const program = await OauthProgram.register(server);
      const { searchParams } = await program.decide(ada, "allow", program.authorizePath(changes));
      const { access } = tokensOf(await program.redeem(searchParams.get("code") ?? ""));
      const headers = { Authorization: `Bearer ${access}` };
      const client = new Client({ name: "test", version: "1" });
      await client.connect(
        new StreamableHTTPClientTransport(endpoint, { requestInit: { headers } }),
      );
      const { tools } = await client.listTools();
      await client.close();
      return tools.map(({ name }) => name);
    };
    const usual = await toolsOf({});
    expect(usual).toContain("run_command");
    expect(usual).not.toContain("delete_workspace");
    expect(await toolsOf({ scope: "coder:workspaces.delete" })).toContain("delete_workspace");
  });

  it("is refreshed with new tokens, at any replica, and the same ones if the answer was lost", async () => {
    const replica = opened.use(await openReplica(server));
    const program = await OauthProgram.register(server);
    const first = await program.logIn(ada);
    const answer = await program.refresh(first.refresh);
    expect(answer).toMatchObject({ status: 200, body: { expires_in: expect.any(Number) } });
    const second = tokensOf(answer);
    expect(second.access).not.toBe(first.access);
    expect(second.refresh).not.toBe(first.refresh);
    expect(await statusWith(first.access, "/workspaces")).toBe(401);
    expect(await statusWith(second.access, "/workspaces")).toBe(200);
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: first.refresh,
      client_id: program.clientId,
    });
    const repeated = await fetch(`${replica.url}/oauth2/tokens`, { method: "POST", body: form });
    expect(await repeated.json()).toMatchObject({
      access_token: second.access,
      refresh_token: second.refresh,
    });
  });

  it("gives processes that refresh it at once the same tokens", async () => {
    const program = await OauthProgram.register(server);
    const { refresh } = await program.logIn(ada);
    const answers = await Promise.all(Array.from({ length: 8 }, () => program.refresh(refresh)));
    expect(new Set(answers.map(({ body }) => body["refresh_token"])).size).toBe(1);
    const [{ access } = { access: "" }] = answers.map(tokensOf);
    expect(await statusWith(access, "/workspaces")).toBe(200);
  });

  it("ends when a replaced refresh token is used later", async () => {
    const program = await OauthProgram.register(server, "Stolen");
    const first = await program.logIn(ada);
    const second = tokensOf(await program.refresh(first.refresh));
    await sql`update oauth_grants set refreshed_at = now() - interval '2 minutes'
      where client_name = 'Stolen'`.execute(server.db);
    expect(await program.refresh(first.refresh)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect(await statusWith(second.access, "/workspaces")).toBe(401);
    expect((await program.refresh(second.refresh)).status).toBe(400);
    expect(await lastAudit("delete")).toMatchObject({
      fields: { program: "Stolen", reason: "a refresh token was used twice" },
    });
  });

  it.each(["access", "refresh"] as const)("ends when its %s token is revoked", async (kind) => {
    const program = await OauthProgram.register(server);
    const tokens = await program.logIn(ada);
    const other = await OauthProgram.register(server);
    await program.revoke(tokens[kind], other.clientId);
    expect(await statusWith(tokens.access, "/workspaces")).toBe(200);
    expect((await program.revoke(tokens[kind])).status).toBe(200);
    expect(await statusWith(tokens.access, "/workspaces")).toBe(401);
    expect((await program.refresh(tokens.refresh)).status).toBe(400);
    expect((await program.revoke(tokens[kind])).status).toBe(200);
  });

  it.each([
    [
      "deletes",
      (id: string) => server.request("DELETE", `/users/me/keys/${id}`, undefined, ada.client),
    ],
    [
      "expires",
      (id: string) => server.request("PUT", `/users/me/keys/${id}/expire`, undefined, ada.client),
    ],
  ] as const)("ends when the user %s the token", async (_, end) => {
    const program = await OauthProgram.register(server);
    const tokens = await program.logIn(ada);
    await end(tokens.access.slice(0, 10));
    expect(await statusWith(tokens.access, "/workspaces")).toBe(401);
    expect((await program.refresh(tokens.refresh)).body).toMatchObject({ error: "invalid_grant" });
  });

  it("ends with the user, and rests while they are suspended", async () => {
    const eve = await addPerson(server, "eve");
    const program = await OauthProgram.register(server);
    const tokens = await program.logIn(eve);
    await server.request("PUT", `/users/${eve.user.id}/status/suspend`);
    expect(await statusWith(tokens.access, "/workspaces")).toBe(401);
    expect((await program.refresh(tokens.refresh)).status).toBe(400);
    await server.request("PUT", `/users/${eve.user.id}/status/activate`);
    const again = tokensOf(await program.refresh(tokens.refresh));
    expect(await statusWith(again.access, "/workspaces")).toBe(200);
    const { status } = await server.request("DELETE", `/users/${eve.user.id}`);
    expect(status).toBe(200);
    expect(await statusWith(again.access, "/workspaces")).toBe(401);
    expect((await program.refresh(again.refresh)).status).toBe(400);
  });

  it("ends when the password of the user changes, also before its code is redeemed", async () => {
    const kim = await addPerson(server, "kim");
    const program = await OauthProgram.register(server);
    const { access, refresh } = await program.logIn(kim);
    const open = (await program.decide(kim)).searchParams.get("code") ?? "";
    const password = "another-horse-battery-43";
    const { status } = await server.request("PUT", `/users/${kim.user.id}/password`, { password });
    expect(status).toBe(204);
    expect(await statusWith(access, "/workspaces")).toBe(401);
    expect((await program.refresh(refresh)).status).toBe(400);
    expect((await program.redeem(open)).status).toBe(400);
  });

  it("ends at the maximum lifetime of tokens, however often it is refreshed", async () => {
    const program = await OauthProgram.register(server);
    const { access, refresh } = await program.logIn(ada);
    await sql`update api_keys set created_at = now() - interval '200 years'
      where id = ${access.slice(0, 10)}`.execute(server.db);
    expect((await program.refresh(refresh)).status).toBe(400);
    expect(await statusWith(access, "/users/me")).toBe(401);
  });

  it("ends when it is not used for 30 days", async () => {
    const program = await OauthProgram.register(server);
    const { access, refresh } = await program.logIn(ada);
    await sql`alter table api_keys disable trigger oauth_grant_expired`.execute(server.db);
    await sql`update api_keys set expires_at = now() - interval '31 days'
      where id = ${access.slice(0, 10)}`.execute(server.db);
    await sql`alter table api_keys enable trigger oauth_grant_expired`.execute(server.db);
    expect((await program.refresh(refresh)).status).toBe(400);
  });
});

it("records registrations, grants, refusals and revocations", async () => {
  const program = await OauthProgram.register(server, "Recorded");
  expect(await auditOf("register")).toContainEqual(
    expect.objectContaining({ target: "Real client", user: null }),
  );
  const denied = await program.decide(ada, "deny");
  expect(denied.searchParams.get("error")).toBe("access_denied");
  expect(denied.searchParams.get("state")).toBe("its-state");
  expect(await lastAudit("deny")).toMatchObject({ target: "Recorded", user: "ada" });
  const { access } = await program.logIn(ada);
  expect(await lastAudit("authorize")).toMatchObject({
    target: "Recorded",
    user: "ada",
    fields: { redirectUri: callback },
  });
  await program.revoke(access);
  expect(await lastAudit("delete")).toMatchObject({
    user: "ada",
    fields: { program: "Recorded", reason: "the program logged out" },
  });
  const shown = await server.request("GET", "/audit?q=action:authorize&limit=1");
  expect(JSON.stringify(shown.body)).toContain("authorized oauth2 provider app");
});

interface AuditRow {
  readonly target: string;
  readonly user: string | null;
  readonly fields: unknown;
}

async function auditOf(action: string): Promise<readonly AuditRow[]> {
  const { rows } = await sql<AuditRow>`
    select resource_target as target, username as "user", additional_fields as fields
      from audit_log left join users on users.id = audit_log.user_id
      where action = ${action} order by audit_log.created_at desc`.execute(server.db);
  return rows;
}

async function lastAudit(action: string): Promise<AuditRow | undefined> {
  return (await auditOf(action))[0];
}

async function statusWith(token: string, path: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  return (await server.request("GET", path, undefined, { headers })).status;
}
