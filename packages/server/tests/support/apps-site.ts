import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { makeWorkspace, pushTemplate } from "@slipway/testkit";

import { type Answered, type AppServer, ask, type Asked, openApp } from "./app-world.ts";
import { appsTemplate } from "./apps-template.ts";
import { openServer, type OpenServer } from "./open-server.ts";

interface Client {
  readonly headers: Readonly<Record<string, string>>;
}

/** A server with its administrator's workspace `dev`, whose apps are one server on this machine. */
export interface AppsSite extends AsyncDisposable {
  readonly server: OpenServer;
  readonly app: AppServer;
  /** The port of the server, and of the hosts of apps. */
  readonly port: string;
  readonly workspace: () => Promise<Workspace>;
  /** Returns the host of an app. */
  readonly hostOf: (name: string) => string;
  readonly askApp: (name: string, path: string, asked?: Asked) => Promise<Answered>;
  /** Returns the cookie of a server session (default: the administrator's). */
  readonly byCookie: (client?: Client) => Record<string, string>;
}

/** Opens it. The app at `inner` has a path and a query; it responds with the method and the path. */
export async function openAppsSite(postgresUrl: string): Promise<AppsSite> {
  await using opening = new AsyncDisposableStack();
  const app = opening.use(
    await openApp((request, response) => {
      response.setHeader("Set-Cookie", [
        "own=1; Domain=apps.test; Path=/",
        "coder_session_token=x",
      ]);
      response.end(`${request.method} ${request.url}`);
    }),
  );
  const environment = { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.test" };
  const server = opening.use(await openServer(postgresUrl, environment));
  const templateId = await pushTemplate(server.admin, "apps", templateOf(app));
  await makeWorkspace(server.admin, "dev", templateId, ({ status }) => status === "connected");
  const { port } = new URL(server.url);
  const hostOf = (name: string): string => `${name}--dev--admin.apps.test:${port}`;
  const opened = opening.move();
  return {
    server,
    app,
    port,
    workspace: () => server.admin.call(getWorkspaceByName, { params: { user: "me", name: "dev" } }),
    hostOf,
    askApp: (name, path, asked = {}) => ask(server.url, path, { host: hostOf(name), ...asked }),
    byCookie: (client = server.admin) => ({ Cookie: `coder_session_token=${tokenOf(client)}` }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function templateOf({ port }: AppServer): string {
  const url = `http://localhost:${port}`;
  return appsTemplate("process", {
    web: `{ url: "${url}", subdomain: true }`,
    inner: `{ url: "${url}/inner?theme=dark", subdomain: true }`,
    team: `{ url: "${url}", subdomain: true, share: authenticated }`,
    open: `{ url: "${url}", subdomain: true, share: public }`,
    members: `{ url: "${url}", subdomain: true, share: organization }`,
    shell: "{ command: htop }",
  });
}

/** Returns the token of a client's session. */
export function tokenOf({ headers }: Client): string {
  return headers["Coder-Session-Token"] ?? "";
}
