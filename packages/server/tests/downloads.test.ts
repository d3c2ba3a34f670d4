import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type OpenServer, openServer } from "./support/open-server.ts";

const opened = new AsyncDisposableStack();
const archive = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
const sum = createHash("sha256").update(archive).digest();
const path = "/bin/slipway-linux-amd64.tar.gz";
/** More than the system buffers for a connection that is not read. */
const largeBytes = 32 * 1024 * 1024;
const large = "/bin/slipway-linux-arm64.tar.gz";
let server: OpenServer;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-downloads-"));
  opened.defer(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "slipway-linux-amd64.tar.gz"), archive);
  await writeFile(join(directory, "slipway-linux-arm64.tar.gz"), "");
  await truncate(join(directory, "slipway-linux-arm64.tar.gz"), largeBytes);
  await writeFile(join(directory, "secret"), "secret");
  server = opened.use(
    await openServer(inject("postgresUrl"), {
      SLIPWAY_DOWNLOADS_DIR: directory,
      SLIPWAY_MAX_DOWNLOADS_PER_ADDRESS: "2",
    }),
  );
});
afterAll(() => opened.disposeAsync());

const get = (
  url: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Response> => fetch(`${server.url}${url}`, { headers, method });

describe("an archive", () => {
  it("has its length, its sums and its type", async () => {
    for (const method of ["GET", "HEAD"]) {
      const response = await get(path, {}, method);
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "accept-ranges": "bytes",
        "cache-control": "public, no-cache",
        "content-length": "100000",
        "content-type": "application/octet-stream",
        digest: `sha-256=${sum.toString("base64")}`,
        etag: `"${sum.toString("hex")}"`,
        "repr-digest": `sha-256=:${sum.toString("base64")}:`,
      });
      const body = Buffer.from(await response.arrayBuffer());
      expect(body).toEqual(method === "GET" ? archive : Buffer.alloc(0));
    }
  });

  it("has its sum in a file, for sha256sum", async () => {
    const text = await (await get(`${path}.sha256`)).text();
    expect(text).toBe(`${sum.toString("hex")}  slipway-linux-amd64.tar.gz\n`);
  });

  it("is not sent again to who has it", async () => {
    const response = await get(path, { "If-None-Match": `"x", W/"${sum.toString("hex")}"` });
    expect(response.status).toBe(304);
    expect(response.headers.get("etag")).toBe(`"${sum.toString("hex")}"`);
    expect(await response.text()).toBe("");
    expect((await get(path, { "If-None-Match": '"x"' })).status).toBe(200);
  });

  it("is sent in parts, of the same content only", async () => {
    const part = await get(path, { Range: "bytes=1000-1999" });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe("bytes 1000-1999/100000");
    expect(Buffer.from(await part.arrayBuffer())).toEqual(archive.subarray(1000, 2000));
    const tag = `"${sum.toString("hex")}"`;
    expect((await get(path, { Range: "bytes=1-", "If-Range": tag })).status).toBe(206);
    expect((await get(path, { Range: "bytes=1-", "If-Range": '"old"' })).status).toBe(200);
    const outside = await get(path, { Range: "bytes=100000-" });
    expect(outside.status).toBe(416);
    expect(outside.headers.get("content-range")).toBe("bytes */100000");
  });

  it("is cached for long by its sum, and not found by another one", async () => {
    const known = await get(`${path}?sha256=${sum.toString("hex")}`);
    expect(known.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    for (const other of ["", "0".repeat(64), `${sum.toString("hex")}0`]) {
      expect((await get(`${path}?sha256=${other}`)).status, other).toBe(404);
    }
    const twice = `${path}?sha256=${sum.toString("hex")}&sha256=${"0".repeat(64)}`;
    expect((await get(twice)).status).toBe(404);
  });

  it("that the directory lacks is not found", async () => {
    const response = await get("/bin/slipway-linux-arm64.tar.zst.sha256");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ message: "This server has no such download." });
  });

  it("is the same for nobody and an owner, and counts by address", async () => {
    const response = await get(path, server.admin.headers, "HEAD");
    expect(response.headers.get("content-length")).toBe("100000");
    expect((await get(path, {}, "HEAD")).headers.get("x-ratelimit-limit")).toBe("512");
  });
});

it.each([
  "/bin/secret",
  "/bin/../secret",
  "/bin/..%2fsecret",
  "/bin/%2e%2e/secret",
  "/bin/slipway-linux-amd64.tar.gz%00",
  "/bin/slipway-linux-amd64.tar.gz/..%2fsecret",
  "/bin/slipway-linux-x64.tar.gz",
  "/bin/coder-linux-armv7",
  "/bin/coder-windows-amd64.exe",
  "/bin/",
  "/bin",
])("nothing is at %s", async (url) => {
  // `fetch` would resolve the dots.
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.end(`GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
  expect(answer).not.toContain("\r\n\r\nsecret");
});

it.each(["POST", "PUT", "DELETE"])("refuses %s", async (method) => {
  expect((await get(path, {}, method)).status).toBe(405);
});

it("sends one address a few archives at once, and the next when one is done", async () => {
  const readers = await Promise.all([openReader(), openReader()]);
  const third = await get(large);
  expect(third.status).toBe(429);
  expect(await third.json()).toMatchObject({
    detail: expect.stringContaining("SLIPWAY_MAX_DOWNLOADS_PER_ADDRESS"),
  });
  // Requests for metadata need no slot.
  expect((await get(large, {}, "HEAD")).status).toBe(200);
  for (const reader of readers) reader.destroy();
  await expect.poll(async () => (await get(large, { Range: "bytes=0-0" })).status).toBe(206);
});

/** Opens a connection that requests an archive, and reads only the beginning. */
async function openReader(): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${large} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, "readable");
  return socket;
}
