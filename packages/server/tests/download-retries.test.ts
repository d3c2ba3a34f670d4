import { createHash, randomBytes } from "node:crypto";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { readShellScripts } from "../src/features/downloads/shell-scripts.ts";
import { packArchive, program, serve } from "./support/download-server.ts";
import { makeMachine, presentPrograms, releases, usual } from "./support/shell-machine.ts";

/* The scripts' download of an archive from servers that lack it, replace it, or lose the connection. */

const { start } = await readShellScripts();
const startFrom = (url: string): string => start({ accessUrl: url, version: "v0" });
const env = { CODER_AGENT_TOKEN: "secret" };
const sumOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

describe("with zstd", () => {
  /** Serves an archive in only one compression format. */
  const serveOnly = async (compression: string, content: Buffer): Promise<string> =>
    serve((request, response) => {
      const path = request.url ?? "";
      if (!path.includes(`.${compression}`)) response.writeHead(404).end();
      else response.end(path.endsWith(".sha256") ? `${sumOf(content)}  name\n` : content);
    });

  it.each([
    ["the smaller archive", "tar.zst", zstdCompressSync],
    ["the other from a server that lacks the smaller one", "tar.gz", gzipSync],
  ])("the scripts take %s", async (_, compression, compress) => {
    const { sh } = await makeMachine([...usual, "zstd"]);
    const content = await packArchive(program, compress);
    const url = await serveOnly(compression, content);
    const { code, out, err } = await sh(startFrom(url), { env });
    expect({ code, out }, err).toMatchObject({ code: 0, out: expect.stringMatching("args=agent") });
    expect(err).toContain(`.${compression}\n`);
    expect(err).not.toContain("cannot");
  });

  it("the scripts say so if the server has neither", async () => {
    const { sh } = await makeMachine([...usual, "zstd"]);
    const { code, err } = await sh(startFrom(await serveOnly("none", Buffer.of())), { env });
    expect(code).toBe(1);
    expect(err).toContain("the server has no");
  });
});

it("a replaced archive is asked for by its new sum", async () => {
  const { sh } = await makeMachine();
  const newer = await packArchive(`${program}# newer\n`);
  const sums = ["0".repeat(64), sumOf(newer)];
  const url = await serve((request, response) => {
    if (request.url?.endsWith(".sha256")) response.end(`${sums.shift()}  name\n`);
    else if (request.url?.endsWith(sumOf(newer))) response.end(newer);
    else response.writeHead(404).end();
  });
  const { code, err } = await sh(startFrom(url), { env });
  expect(code, err).toBe(0);
  expect(sums).toEqual([]);
});

// A bare machine lacks some of them.
const downloaders = await presentPrograms(["curl", "wget", "busybox"]);

describe.each(downloaders)("with %s, a download that was cut", (downloader) => {
  it.each([
    ["goes on where it was cut", [undefined, "bytes=20000-"], true],
    ["begins again where there are no parts", [undefined, "bytes=20000-"], false],
  ])("%s", async (_, ranges, hasParts) => {
    const { home, sh } = await makeMachine([...usual.filter((one) => one !== "curl"), downloader]);
    // busybox runs the applet that it is called as.
    if (downloader === "busybox") await symlink("busybox", join(home, "programs/wget"));
    const archive = await packArchive(`${program}# ${randomBytes(60_000).toString("hex")}`);
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      if (request.url?.endsWith(".sha256")) return void response.end(`${sumOf(archive)}  name\n`);
      const { range } = request.headers;
      seen.push(range);
      const first = hasParts ? Number(/\d+/.exec(range ?? "")?.[0] ?? 0) : 0;
      const length = { "Content-Length": archive.length - first };
      const part = { "Content-Range": `bytes ${first}-${archive.length - 1}/${archive.length}` };
      if (first > 0) response.writeHead(206, { ...length, ...part });
      else response.writeHead(200, length);
      if (seen.length > 1) response.end(archive.subarray(first));
      else response.write(archive.subarray(0, 20_000), () => response.destroy());
    });
    const { code, out, err } = await sh(startFrom(url), {
      env: { ...env, SLIPWAY_DOWNLOAD_TRIES: "4" },
    });
    expect(code, err).toBe(0);
    expect(err).toMatch(/sha256=[0-9a-f]{64}: \S.*; trying again/);
    expect(out).toContain("args=agent");
    expect(seen.slice(0, 2)).toEqual(ranges);
  });
});

it.each([
  ["curl", "curl: (23) Failure writing output to destination"],
  ["wget", "Cannot write to '/home/ada/archive' (No space left on device)."],
  ["wget", "wget: short write: No space left on device"],
])("a full disk is not tried again: %s says %j", async (downloader, words) => {
  const { home, sh } = await makeMachine(usual.filter((one) => one !== "curl"));
  const path = join(home, "programs", downloader);
  await writeFile(path, `#!/bin/sh\necho "${words}" >&2; exit 23\n`, { mode: 0o755 });
  const { code, err } = await sh(startFrom("http://192.0.2.1"), {
    env: { ...env, SLIPWAY_DOWNLOAD_TRIES: "10" },
  });
  expect(code).toBe(1);
  expect(err).not.toContain("trying again");
  expect(err).toContain(`check the free space (df -h ${releases(home)})`);
});

it("a download that gets on at each try may be cut often", async () => {
  const { sh } = await makeMachine();
  const archive = await packArchive(`${program}# ${randomBytes(60_000).toString("hex")}`);
  let tries = 0;
  const url = await serve((request, response) => {
    if (request.url?.endsWith(".sha256")) return void response.end(`${sumOf(archive)}  name\n`);
    tries += 1;
    const first = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
    response.writeHead(first > 0 ? 206 : 200, {
      "Content-Length": archive.length - first,
      "Content-Range": `bytes ${first}-${archive.length - 1}/${archive.length}`,
    });
    response.write(archive.subarray(first, first + 10_000), () => response.destroy());
  });
  const { code, err } = await sh(startFrom(url), { env: { ...env, SLIPWAY_DOWNLOAD_TRIES: "2" } });
  expect(code, err).toBe(0);
  expect(tries).toBe(Math.ceil(archive.length / 10_000));
});
