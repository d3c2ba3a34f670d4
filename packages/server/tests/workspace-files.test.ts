import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as openRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  editFile,
  listFiles,
  makeDirectory,
  moveFile,
  removeFile,
  searchFiles,
  statFile,
} from "@slipway/api/agents/file-routes";
import { listAuditLogs } from "@slipway/api/audit/routes";
import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { openServer, type OpenServer } from "./support/open-server.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let agent = "";
let folder = "";

const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "slipway-workspace-files-"));
  opened.defer(() => rmSync(folder, { recursive: true }));
  // The agent may run as another user.
  chmodSync(folder, 0o777);
  server = opened.use(await openServer(inject("postgresUrl")));
  const templateId = await pushTemplate(server.admin, "files", template);
  const isConnected = ({ status }: { readonly status: string }): boolean => status === "connected";
  agent = requireAgent(await makeWorkspace(server.admin, "files", templateId, isConnected)).id;
});

afterAll(() => opened.disposeAsync());

const at = (name: string): string => join(folder, name);
const params = (): { readonly agent: string } => ({ agent });

function urlOf(route: string, path: string, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ path, ...more }).toString();
  return `${server.url}/api/v2/workspaceagents/${agent}/files/${route}?${query}`;
}

interface Sent extends Omit<RequestInit, "headers"> {
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(url: string, init: Sent = {}): Promise<Response> {
  return fetch(url, { ...init, headers: { ...server.admin.headers, ...init.headers } });
}

it("does with files what the agent does", async () => {
  const { admin } = server;
  await admin.call(makeDirectory, { params: params(), body: { path: at("a/b"), parents: true } });
  writeFileSync(at("a/b/x"), "one\ntwo\n");
  const path = at("a/b/x");
  const edits = [{ search: "two", replace: "2" }];
  const edited = await admin.call(editFile, { params: params(), body: { path, edits } });
  expect(edited).toMatchObject({ file: { size: 6 }, diff: expect.stringContaining("+2") });
  const body = { path: at("a"), pattern: "^2" };
  expect(await admin.call(searchFiles, { params: params(), body })).toEqual({
    matches: [{ path, line: 2, text: "2" }],
  });
  await admin.call(moveFile, { params: params(), body: { from: path, to: at("y") } });
  const moved = await admin.call(listAuditLogs, {
    query: { q: "resource_type:workspace_agent action:write", limit: "1" },
  });
  expect(moved.audit_logs).toMatchObject([
    { additional_fields: { operation: "move", path: `${path} → ${at("y")}` } },
  ]);
  const page = await admin.call(listFiles, { params: params(), query: { path: folder } });
  expect(page.entries.map(({ name }) => name)).toEqual(["a", "y"]);
  expect(await admin.call(statFile, { params: params(), query: { path: at("y") } })).toMatchObject({
    etag: edited.file.etag,
  });
  const removal = { params: params(), body: { path: at("a"), recursive: true } };
  expect(await admin.call(removeFile, removal)).toEqual({ removed: 2 });
  await expect(admin.call(removeFile, removal)).rejects.toMatchObject({ status: 404 });
});

it("moves contents as streams, in whole and in parts", async () => {
  const content = Buffer.alloc(20_000_000, "some content ");
  const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const written = await send(urlOf("content", at("big")), { method: "PUT", body: content });
  expect(written.status).toBe(200);
  const { etag } = await server.admin.call(statFile, {
    params: params(),
    query: { path: at("big") },
  });
  const read = await send(urlOf("content", at("big")), { headers: { "if-match": etag } });
  expect(Object.fromEntries(read.headers)).toMatchObject({
    "content-type": "application/octet-stream",
    "content-length": String(content.length),
    etag,
  });
  expect(hash(await read.bytes())).toBe(hash(content));
  const part = await send(urlOf("content", at("big"), { offset: "19999990", limit: "100" }));
  expect(await part.text()).toBe(content.subarray(19_999_990).toString());
  const tail = await send(urlOf("content", at("big"), { offset: "5" }), {
    method: "PUT",
    body: "end",
  });
  expect(tail.status).toBe(200);
  expect(readFileSync(at("big"), "utf8")).toBe("some end");
  const stale = await send(urlOf("content", at("big")), {
    method: "PUT",
    body: "x",
    headers: { "if-match": etag },
  });
  expect(stale.status).toBe(412);
  rmSync(at("big"));
});

it("carries trees as archives both ways", async () => {
  await send(urlOf("content", at("tree/deep/file"), { parents: "true" }), {
    method: "PUT",
    body: "content",
  });
  const tar = await send(urlOf("archive", at("tree")));
  const unpacked = await send(urlOf("archive", at("copy")), {
    method: "PUT",
    body: await tar.bytes(),
  });
  expect(await unpacked.json()).toEqual({ files: 1, directories: 1, bytes: 7 });
  expect(readFileSync(at("copy/deep/file"), "utf8")).toBe("content");
  const bad = await send(urlOf("archive", at("copy")), { method: "PUT", body: "x".repeat(1_024) });
  expect(bad.status).toBe(400);
  expect(await bad.json()).toMatchObject({ message: "The body is not a tar." });
});

it("passes on what changes", async () => {
  const url = urlOf("watch", folder).replace("http", "ws");
  const socket = new WebSocket(url, { headers: server.admin.headers });
  const messages: string[] = [];
  socket.on("message", (data: Buffer) => messages.push(data.toString()));
  await once(socket, "message");
  writeFileSync(at("new"), "");
  await expect.poll(() => messages.join("\n")).toContain(at("new"));
  expect(JSON.parse(messages[0] ?? "")).toEqual({ changes: [] });
  socket.terminate();
});

it("leaves the file as it was when its client disconnects within the content", async () => {
  writeFileSync(at("kept"), "old");
  const before = readdirSync(folder).length;
  const sent = openRequest(urlOf("content", at("kept")), {
    method: "PUT",
    headers: { ...server.admin.headers, "content-length": "1000" },
  });
  sent.on("error", () => undefined);
  sent.write("part");
  await expect.poll(() => readdirSync(folder).length).toBe(before + 1);
  sent.destroy();
  await expect.poll(() => readdirSync(folder).length).toBe(before);
  expect(readFileSync(at("kept"), "utf8")).toBe("old");
});

it.each([
  ["a relative path", "stat", { path: "x" }, 400],
  ["no path", "stat", { path: "" }, 400],
  ["a file that is not there", "stat", { path: "/none" }, 404],
  ["a device", "content", { path: "/dev/zero" }, 400],
  ["an offset that is not a number", "content", { path: "/etc/passwd", offset: "-1" }, 400],
])("refuses %s", async (_what, route, { path, ...more }, status) => {
  const response = await send(urlOf(route, path, more));
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ message: expect.any(String) });
});

it.each(["content", "archive"])("answers a large body that it refuses: %s", async (route) => {
  const body = Buffer.alloc(20_000_000);
  const response = await send(urlOf(route, "/proc/none"), { method: "PUT", body });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: "not-found", admitted: "no" });
});

it("records changes with their paths, cut and cleaned, and no content", async () => {
  const path = at(`evil\u001b[2J${"x".repeat(600)}`);
  await send(urlOf("content", path), { method: "PUT", body: "secret content" });
  const { audit_logs: entries } = await server.admin.call(listAuditLogs, {
    query: { q: "resource_type:workspace_agent action:write" },
  });
  const [last] = entries;
  expect(last).toMatchObject({
    resource_target: "files.main",
    additional_fields: { operation: "write", path: expect.stringContaining("evil") },
  });
  const fields = JSON.stringify(last);
  expect(fields).not.toContain("secret content");
  expect(fields).not.toContain(String.raw`\u001b`);
  expect(fields).not.toContain("x".repeat(501));
});
