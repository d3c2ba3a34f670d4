import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import {
  createTemplateVersion,
  getTemplateVersion,
  updateActiveVersion,
} from "@slipway/api/templates/version-routes";
import { createWorkspace, renameWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { packTemplate, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { type OpenServer, openServer } from "./support/open-server.ts";

const template = `
driver: external
parameters:
  size: { type: string, default: small, mutable: true }
agents:
  main: { os: linux, arch: amd64 }
`;

let server: OpenServer;
let templateId = "";
let workspace: Workspace;

beforeAll(async () => {
  server = await openServer(inject("postgresUrl"));
  templateId = await pushTemplate(server.admin, "outside", template);
  workspace = await make("dev");
});
afterAll(() => server[Symbol.asyncDispose]());

async function make(name: string, template_id = templateId): Promise<Workspace> {
  const { id } = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id },
  });
  return waitForWorkspace(server.admin, id, (one) => one.latest_build.status === "running");
}

async function rename(name: string): Promise<void> {
  await server.admin.call(renameWorkspace, { params: { workspace: workspace.id }, body: { name } });
}

async function activateAnotherVersion(): Promise<void> {
  const input = { bytes: await packTemplate(`${template}# newer`), contentType: tarMimeType };
  const { hash } = await server.admin.upload(uploadFile, input);
  const { id } = await server.admin.call(createTemplateVersion, {
    params: { organization: "default" },
    body: { file_id: hash, template_id: templateId, name: "newer" },
  });
  const params = { version: id };
  await expect
    .poll(async () => (await server.admin.call(getTemplateVersion, { params })).job.status)
    .toBe("succeeded");
  await server.admin.call(updateActiveVersion, { params: { template: templateId }, body: { id } });
}

describe("a watched workspace", () => {
  it("sends a ping, then itself, then itself after each change, as events", async () => {
    const end = new AbortController();
    const response = await fetch(`${server.url}/api/v2/workspaces/${workspace.id}/watch`, {
      headers: server.admin.headers,
      signal: end.signal,
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const readUntil = async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) text += (await reader?.read())?.value ?? "";
    };
    await readUntil('"name":"dev"');
    expect(text).toMatch(/^event: ping\n\nevent: data\ndata: \{"id":"[^\n]*\}\n\n/);
    await rename("renamed");
    await readUntil('"name":"renamed"');
    await rename("dev");
    await readUntil(`"outdated":false`);
    await activateAnotherVersion();
    await readUntil(`"outdated":true`);
    end.abort();
  });

  it("sends the same over a WebSocket, on which nobody else speaks", async () => {
    const url = `${server.url.replace("http", "ws")}/api/v2/workspaces/${workspace.id}/watch-ws`;
    const socket = new WebSocket(url, { headers: server.admin.headers });
    const messages: string[] = [];
    const closed = Promise.withResolvers<number>();
    socket.on("message", (data: Buffer) => messages.push(data.toString()));
    socket.on("close", closed.resolve);
    await expect.poll(() => messages.length).toBe(2);
    expect(messages[0]).toBe('{"type":"ping","data":null}\n');
    expect(JSON.parse(messages[1] ?? "")).toMatchObject({ type: "data", data: { name: "dev" } });
    await rename("again");
    await expect.poll(() => messages.at(-1)).toContain('"name":"again"');
    await rename("dev");
    socket.send("hello");
    expect(await closed.promise).toBe(1002);
  });

  it("is none that is not there", async () => {
    const path = "/workspaces/11111111-1111-4111-8111-111111111111/watch";
    expect(await server.request("GET", path)).toMatchObject({ status: 404 });
  });
});

describe("the list of workspaces", () => {
  async function listed(q: string, more = ""): Promise<readonly Workspace[]> {
    const { body } = await server.request("GET", `/workspaces?q=${encodeURIComponent(q)}${more}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of the list
    return (body as { readonly workspaces: readonly Workspace[] }).workspaces;
  }

  async function names(q: string, more = ""): Promise<readonly string[]> {
    return (await listed(q, more)).map(({ name }) => name);
  }

  beforeAll(async () => {
    await make("alpha");
    const zulu = await make("zulu");
    await server.request("PUT", `/workspaces/${zulu.id}/favorite`);
    const beta = await make("beta");
    await server.request("POST", `/workspaces/${beta.id}/builds`, { transition: "stop" });
    await waitForWorkspace(server.admin, beta.id, (one) => one.latest_build.status === "stopped");
    await server.request("PUT", `/workspaces/${beta.id}/dormant`, { dormant: true });
  });

  it("has favorites first, then what runs, then the rest by name", async () => {
    expect(await names("")).toEqual(["zulu", "alpha", "dev", "beta"]);
  });

  it("comes in pages and tells how many there are", async () => {
    expect(await names("", "&limit=2&offset=1")).toEqual(["alpha", "dev"]);
    expect(await server.request("GET", "/workspaces?limit=1")).toMatchObject({
      body: { count: 4 },
    });
    expect(await server.request("GET", "/workspaces?limit=x")).toMatchObject({ status: 400 });
  });

  it.each([
    ["sort=name", ["zulu", "alpha", "beta", "dev"]],
    ["sort=status", ["zulu", "alpha", "dev", "beta"]],
    ["sort=last_used", ["zulu", "beta", "alpha", "dev"]],
  ])("comes in the order of %s, after favorites", async (order, expected) => {
    expect(await names("", `&${order}`)).toEqual(expected);
  });

  it("comes in groups, each in its order", async () => {
    await make("ant", await pushTemplate(server.admin, "within", template));
    const order = "&sort=name&group=template";
    expect(await names("", order)).toEqual(["zulu", "alpha", "beta", "dev", "ant"]);
    expect(await names("", `${order}&limit=2&offset=3`)).toEqual(["dev", "ant"]);
    expect(await names("", "&sort=name&group=organization")).toEqual([
      "zulu",
      "alpha",
      "ant",
      "beta",
      "dev",
    ]);
    const [ant] = await listed("ant");
    await server.request("POST", `/workspaces/${ant?.id}/builds`, { transition: "delete" });
    await expect.poll(() => names("ant")).toEqual([]);
  });

  it("comes in no other order", async () => {
    expect(await server.request("GET", "/workspaces?sort=size")).toMatchObject({ status: 400 });
  });

  it("comes in pages too if it is filtered by its agents", async () => {
    const q = "has-agent:connecting";
    expect(await names(q)).toEqual(["zulu", "alpha", "dev"]);
    expect(await names(q, "&limit=1")).toEqual(["zulu"]);
    expect(await names(q, "&limit=1&offset=1")).toEqual(["alpha"]);
    expect(await names(q, "&limit=2&offset=2")).toEqual(["dev"]);
    expect(await names(q, "&limit=2&offset=3")).toEqual([]);
    const path = `/workspaces?q=${encodeURIComponent(q)}&limit=1&offset=1`;
    expect(await server.request("GET", path)).toMatchObject({ body: { count: 3 } });
  });

  it.each([
    ["owner:me alp", ["alpha"]],
    ["admin/ph", ["alpha"]],
    ["owner:nobody", []],
    ["status:stopped", ["beta"]],
    ["status:running name:e", ["dev"]],
    ["dormant:true", ["beta"]],
    ["favorite:true", ["zulu"]],
    ["template:outside outdated:true", ["dev"]],
    ["template:other", []],
    ["organization:default dormant:false name:z", ["zulu"]],
    ["has-agent:connecting name:dev", ["dev"]],
    ["has-agent:connected", []],
    ["healthy:false name:alpha", ["alpha"]],
    ["has_external_agent:true name:alpha", ["alpha"]],
    ["has_external_agent:false", []],
    ["param:size=small name:alpha", ["alpha"]],
    ["param:size=large", []],
    ["last_used_after:2999-01-01", []],
    ["shared:true", []],
    ["name:%", []],
    ["-dev -status:stopped", ["zulu", "alpha"]],
    ["-owner:me", []],
    ["-admin/a -admin/e -template:other -organization:other", ["zulu"]],
  ])("finds by %s", async (q, expected) => {
    expect(await names(q)).toEqual(expected);
  });

  it("refuses a key that it does not know", async () => {
    expect(await server.request("GET", "/workspaces?q=bogus:1")).toMatchObject({
      status: 400,
      body: {
        message: "Invalid workspace search query.",
        validations: [{ field: "bogus", detail: '"bogus" is not a valid query param' }],
      },
    });
  });
});
