import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type CommandResult,
  type CommandServer,
  openCommandServer,
} from "../support/command-server.ts";
import { type RecordedOpener, recordedOpener } from "../support/recorded-opener.ts";

/* The commands that share ports and open apps, with a server and an agent in separate processes. */

const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    directory: /usr/share
    apps:
      web: { url: "http://localhost:8080", display_name: Web }
      own: { url: "http://localhost:8081", subdomain: true, share: authenticated }
      sick:
        url: "http://localhost:9"
        health: { url: "http://localhost:9", interval: 1s, threshold: 1 }
      top: { command: "htop; exit" }
      docs: { url: "https://docs.example.com/?q=a b", external: true }
      editor: { url: "vscode://coder.coder-remote/open?owner=x", external: true }
      keyed: { url: "cursor://x/open?token=$SESSION_TOKEN", external: true }
      odd: { url: "ms-msdt:/id PCWDiagnostic", external: true }
`;

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer({ SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.example.com" });
  await pushTemplate(commandServer.admin, "box", template);
  expect(await slipway("create demo -t box")).toMatchObject({ code: 0 });
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(
  line: string,
  { opener, more = {} }: { opener?: RecordedOpener; more?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  const environment = { ...commandServer.environment, ...more };
  return commandServer.slipway(line, undefined, "", environment, opener);
}

/** The URL of an app on its own host. */
function hostUrl(name: string): string {
  return `http://${name}--demo--admin.apps.example.com:${new URL(commandServer.server.url).port}/`;
}

it("shares a port, lists it with its URL, and stops sharing it", async () => {
  expect(await slipway("port-shares list demo")).toEqual({
    code: 0,
    out: "",
    err: "no shared ports; share one with: slipway port-shares add admin/demo <port>\n",
  });
  expect(await slipway("port-shares add demo 8080")).toEqual({
    code: 0,
    out: `${hostUrl("8080--main")}\n`,
    err: "port 8080 of admin/demo.main is shared: all users who are logged in can open it\n",
  });
  await slipway("port-shares add demo.main 8443 --level public --protocol https");
  const low = await slipway("port-shares add demo 80 -l organization -o json");
  expect(JSON.parse(low.out)).toMatchObject({ port: 80, share_level: "organization" });
  const { out } = await slipway("port-shares ls admin/demo");
  expect(out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["AGENT", "PORT", "PROTOCOL", "LEVEL", "URL"],
    ["main", "80", "http", "organization", "-"],
    ["main", "8080", "http", "authenticated", hostUrl("8080--main")],
    ["main", "8443", "https", "public", hostUrl("8443s--main")],
    [""],
  ]);
  expect(await slipway("port-shares remove demo 8080")).toMatchObject({ code: 0 });
  expect(await slipway("port-shares remove demo 8080")).toMatchObject({
    code: 4,
    err: expect.stringContaining("port 8080 of admin/demo is not shared"),
  });
  const { out: json } = await slipway("port-shares list demo -o json");
  expect(JSON.parse(json)).toHaveLength(2);
});

it("refuses what cannot be shared, and names what is wanted", async () => {
  expect(await slipway("port-shares add demo 8")).toMatchObject({
    code: 2,
    err: expect.stringContaining("wanted a number from 9 to 65535"),
  });
  expect(await slipway("port-shares add demo 8080 --level owner")).toMatchObject({
    code: 2,
    err: expect.stringContaining("wanted authenticated, organization or public"),
  });
  expect(await slipway("port-shares add demo.none 8080")).toMatchObject({
    code: 4,
    err: expect.stringContaining("wanted one of main"),
  });
  expect(await slipway("templates edit box --max-port-share-level all")).toMatchObject({
    code: 2,
    err: expect.stringContaining("wanted one of owner, organization, authenticated, public"),
  });
  await slipway("templates edit box --max-port-share-level organization");
  expect(await slipway("port-shares add demo 8080 -l public")).toMatchObject({
    code: 1,
    err: expect.stringContaining("the template allows at most organization, found public"),
  });
  await slipway("templates edit box --max-port-share-level public");
});

it("lets apps say which pages may read their responses, if a template does", async () => {
  expect(await slipway("templates edit box --cors-behavior open")).toMatchObject({
    code: 2,
    err: expect.stringContaining('--cors-behavior is "open", wanted one of simple, passthru'),
  });
  const changed = await slipway("templates edit box --cors-behavior passthru -o json");
  expect(JSON.parse(changed.out)).toMatchObject({ cors_behavior: "passthru" });
});

it("lists apps with their health, who may open them, and where", async () => {
  await expect
    .poll(async () => (await slipway("show demo")).out)
    .toMatch(/^ {2}sick +unhealthy +owner +http:.*\/@admin\/demo\.main\/apps\/sick\/$/m);
  const { out } = await slipway("open app demo");
  const rows = out
    .trim()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  const path = `${commandServer.server.url}/@admin/demo.main/apps`;
  expect(rows).toEqual(
    expect.arrayContaining([
      ["APP", "NAME", "AGENT", "HEALTH", "SHARED", "URL"],
      ["web", "Web", "main", "-", "owner", `${path}/web/`],
      ["own", "own", "main", "-", "authenticated", hostUrl("own")],
      ["sick", "sick", "main", "unhealthy", "owner", `${path}/sick/`],
      ["top", "top", "main", "-", "owner", "htop; exit"],
    ]),
  );
});

it("opens an app, and prints its URL", async () => {
  const opener = recordedOpener();
  const url = `${commandServer.server.url}/@admin/demo.main/apps/web/`;
  expect(await slipway("open app demo web", { opener })).toEqual({
    code: 0,
    out: `${url}\n`,
    err: "",
  });
  await slipway("open app demo.main own", { opener });
  await slipway("open app demo docs", { opener });
  await slipway("open app demo editor", { opener });
  const { err } = await slipway("open app demo sick", { opener });
  expect(err).toBe("app sick is unhealthy: it may not answer\n");
  expect(opener.opened).toEqual([
    url,
    hostUrl("own"),
    "https://docs.example.com/?q=a%20b",
    "vscode://coder.coder-remote/open?owner=x",
    url.replace("web", "sick"),
  ]);
});

it("opens nothing where it should not or cannot", async () => {
  const opener = recordedOpener();
  expect(await slipway("open app demo web --no-open", { opener })).toMatchObject({ code: 0 });
  expect(await slipway("open app demo odd", { opener })).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("wanted one of http, https or an editor"),
  });
  expect(await slipway("open app demo top", { opener })).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("slipway ssh -t admin/demo.main -- 'htop; exit'"),
  });
  // The template must not get the session.
  expect(await slipway("open app demo keyed", { opener })).toMatchObject({
    code: 0,
    out: "cursor://x/open?token=$SESSION_TOKEN\n",
    err: expect.stringContaining("not opened"),
  });
  expect(await slipway("open app demo none", { opener })).toMatchObject({
    code: 4,
    err: expect.stringContaining("wanted one of web, own, sick"),
  });
  expect(await slipway("open app demo web --region moon", { opener })).toMatchObject({
    code: 4,
    err: expect.stringMatching(
      /^error: region moon does not exist or is not visible to you\n.*wanted one of primary\n$/,
    ),
  });
  expect(opener.opened).toEqual([]);
  expect(await slipway("open app demo web")).toMatchObject({
    code: 0,
    err: "not opened: there is no display\n",
  });
  expect(
    await slipway("open app demo web", { opener: recordedOpener("no program") }),
  ).toMatchObject({
    code: 1,
    out: expect.stringContaining("/apps/web/"),
    err: expect.stringContaining("no program"),
  });
});

/** Returns whether the key of a URL is valid. */
async function hasKey(url: string | undefined): Promise<boolean> {
  const token = new URL(url ?? "").searchParams.get("token") ?? "";
  expect(token).toMatch(/^\w{10}-\w{22}$/);
  const headers = { "Coder-Session-Token": token };
  const response = await fetch(`${commandServer.server.url}/api/v2/users/me`, { headers });
  return response.status === 200;
}

it("opens an editor with a token of its own, and removes it if that fails", async () => {
  const opener = recordedOpener();
  const { code, out, err } = await slipway("open vscode demo local --editor cursor", { opener });
  expect({ code, out, err }).toEqual({
    code: 0,
    out: "",
    err: "opened admin/demo.main:/usr/share/local\n",
  });
  const url = new URL(opener.opened[0] ?? "");
  expect(url.href).toMatch(/^cursor:\/\/coder\.coder-remote\/open\?/);
  expect(Object.fromEntries(url.searchParams)).toEqual({
    url: commandServer.server.url,
    owner: "admin",
    workspace: "demo",
    agent: "main",
    folder: "/usr/share/local",
    token: expect.any(String),
  });
  expect(await hasKey(opener.opened[0])).toBe(true);
  const failing = recordedOpener("no editor");
  const failed = await slipway("open vscode demo", { opener: failing });
  expect(failed).toMatchObject({ code: 1, err: expect.stringContaining("no editor") });
  expect(failed.out).toMatch(/^vscode:.*&folder=%2Fusr%2Fshare\n$/);
  expect(failing.opened).toHaveLength(1);
  expect(await hasKey(failing.opened[0])).toBe(false);
});

it("prints the URL for another machine, with a token only when asked", async () => {
  const plain = await slipway("open vscode demo /etc");
  expect(plain.out).toMatch(/&folder=%2Fetc\n$/);
  expect(plain.out).not.toContain("token=");
  expect(plain.err).toContain("there is no display");
  expect(await slipway("open vscode demo ~/x")).toMatchObject({ code: 2 });
  const keyed = await slipway("open vscode demo --no-open --generate-token");
  expect(await hasKey(keyed.out.trim())).toBe(true);
});
