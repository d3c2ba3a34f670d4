import { createHash } from "node:crypto";
import { mkdir, readdir, readlink, rm, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readShellScripts } from "../src/features/downloads/shell-scripts.ts";
import {
  type DownloadServer,
  openDownloadServer,
  packArchive,
  serve,
  serveArchive,
} from "./support/download-server.ts";
import { leftIn, makeMachine, releases, usual } from "./support/shell-machine.ts";

/* The scripts that download the agent and run it, in this machine's shell and with its programs. */

let server: DownloadServer;

beforeAll(async () => {
  server = await openDownloadServer();
});

afterAll(() => server[Symbol.asyncDispose]());

const token = { CODER_AGENT_TOKEN: "secret" };

describe("/bin/start.sh", () => {
  it("downloads the agent once, and becomes it", async () => {
    const { home, sh } = await makeMachine();
    const start = await server.script("/bin/start.sh");
    const first = await sh(start, { env: token });
    const [release = ""] = await readdir(releases(home));
    expect(release).toMatch(/^[0-9a-f]{16}$/);
    const wanted = `args=agent\nurl=${server.url} token=secret\nat=${releases(home)}/${release}/bin/slipway\n`;
    expect(first).toMatchObject({ code: 0, out: wanted });
    expect(first.err).toContain("downloading");
    const second = await sh(start, { env: token });
    expect(second).toMatchObject({ code: 0, out: wanted });
    expect(second.err).not.toContain("downloading");
    expect(await readdir(releases(home))).toEqual([release]);
  });

  it.each([
    ["wget", (name: string) => (name === "curl" ? "wget" : name)],
    ["shasum", (name: string) => (name === "sha256sum" ? "shasum" : name)],
    ["openssl", (name: string) => (name === "sha256sum" ? "openssl" : name)],
  ])("works with %s", async (_name, exchange) => {
    const { sh } = await makeMachine([...usual.map(exchange), "perl"]);
    const { code, out, err } = await sh(await server.script("/bin/start.sh"), { env: token });
    expect(code, err).toBe(0);
    expect(out).toContain("args=agent");
  });

  it.each([
    ["curl", "neither curl nor wget"],
    ["tar", "no tar"],
    ["gzip", "neither gzip nor zstd"],
    ["sha256sum", "none of sha256sum, shasum and openssl"],
  ])("says that %s is missing", async (missing, reason) => {
    const { home, sh } = await makeMachine(usual.filter((name) => name !== missing));
    const { code, out, err } = await sh(await server.script("/bin/start.sh"), { env: token });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(reason);
    expect(await leftIn(home)).toEqual([]);
  });

  it("waits with its progress while the server makes the download", async () => {
    const { sh } = await makeMachine();
    const url = await serve((_, response) => void response.writeHead(503).end());
    const start = (await readShellScripts()).start({ accessUrl: url, version: "v0" });
    const { code, err } = await sh(start, { env: { ...token, SLIPWAY_DOWNLOAD_TRIES: "3" } });
    expect(code).toBe(1);
    const said = err.split("\n").filter((line) => line.includes("is preparing the download"));
    const tries = [1, 2].map((number) => expect.stringContaining(`(try ${number} of 3)`));
    expect(said).toEqual(tries);
    expect(err).toContain("the server is not ready (503)");
    expect(err).not.toContain("trying again");
  });

  it("does not write below a relative home directory", async () => {
    const { home, sh } = await makeMachine();
    const env = { ...token, HOME: "relative", XDG_CACHE_HOME: "cache", TMPDIR: home };
    const { out } = await sh(await server.script("/bin/start.sh"), { env });
    expect(out).toContain(`at=${home}/slipway-`);
    expect(await readdir(home)).toEqual(["programs", expect.stringMatching(/^slipway-\d+$/)]);
  });

  it("says that there is no token", async () => {
    const { sh } = await makeMachine();
    const { code, err } = await sh(await server.script("/bin/start.sh"));
    expect(code).toBe(1);
    expect(err).toContain("CODER_AGENT_TOKEN is not set");
    const cloud = { CODER_AGENT_AUTH: "aws-instance-identity" };
    expect((await sh(await server.script("/bin/start.sh"), { env: cloud })).code).toBe(0);
  });

  it("tells another URL to the agent, and downloads from there", async () => {
    const { sh } = await makeMachine();
    const { port } = new URL(server.url);
    const start = (await readShellScripts()).start({
      accessUrl: "http://192.0.2.1",
      version: "v0",
    });
    const env = { ...token, CODER_AGENT_URL: `http://localhost:${port}/` };
    const { out, err } = await sh(start, { env });
    expect(out, err).toContain(`url=http://localhost:${port} token`);
  });

  it("runs nothing when it is cut anywhere", async () => {
    const start = (await server.script("/bin/start.sh")).trimEnd();
    const { home, sh } = await makeMachine();
    const cuts = Array.from({ length: 12 }, (_, index) => Math.floor((start.length * index) / 12));
    const ends = [1, 2, 3, 5, 8, 13].map((bytes) => start.length - bytes);
    for (const length of [...cuts, ...ends]) {
      const { out, err } = await sh(start.slice(0, length), { env: token });
      expect(out, `${length} of ${start.length} characters: ${err}`).toBe("");
    }
    expect(await leftIn(home)).toEqual([]);
  });

  it("keeps nothing of an archive that is damaged or does not run", async () => {
    const { home, sh } = await makeMachine();
    const start = await server.script("/bin/start.sh");
    for (const [archive, sum, reason] of [
      [await packArchive(), "0".repeat(64), "the sum of"],
      [Buffer.from("no archive"), undefined, "cannot unpack"],
      [await packArchive("#!/bin/sh\necho too old >&2; exit 1\n"), undefined, "too old"],
    ] as const) {
      const url = await serveArchive(archive, sum);
      const { code, out, err } = await sh(start, { env: { ...token, CODER_AGENT_URL: url } });
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain(reason);
      expect(await readdir(releases(home))).toEqual([]);
    }
  });

  it("may start several times at once", async () => {
    const { home, sh } = await makeMachine();
    const start = await server.script("/bin/start.sh");
    const results = await Promise.all(Array.from({ length: 4 }, () => sh(start, { env: token })));
    for (const { code, err } of results) expect(code, err).toBe(0);
    const names = await readdir(releases(home));
    expect(names).toHaveLength(1);
    expect(await readdir(join(releases(home), names[0] ?? ""))).toEqual(["bin"]);
  });

  it("removes what a killed run has left, and releases that are old", async () => {
    const { home, sh } = await makeMachine();
    const host = (await sh("uname -n")).out.trim();
    const space = /\d+/.exec(await readlink("/proc/self/ns/pid"))?.[0] ?? "";
    // From a process that has ended, and from containers with the same host name and separate processes.
    const left = [`.new-${host}-${space}-99999999`, `.new-${host}-1-99999999`];
    const young = `.new-${host}-2-99999999`;
    const old = ["1", "2", "3", "4"].map((n) => n.repeat(16));
    for (const name of [...left, young, ...old]) {
      await mkdir(join(releases(home), name), { recursive: true });
    }
    const longAgo = Date.now() / 1_000 - 2 * 86_400;
    await utimes(join(releases(home), left[1] ?? ""), longAgo, longAgo);
    await sh(await server.script("/bin/start.sh"), { env: token });
    const names = await readdir(releases(home));
    expect(names.filter((name) => name.startsWith("."))).toEqual([young]);
    expect(names).toHaveLength(4);
  });

  it("needs no home directory, but one that is its own", async () => {
    const { home, sh } = await makeMachine();
    const start = await server.script("/bin/start.sh");
    const temporary = join(home, "tmp");
    await mkdir(temporary);
    const env = { ...token, HOME: "", TMPDIR: temporary };
    const { out, err } = await sh(start, { env });
    expect(out, err).toContain(`at=${temporary}/slipway-`);

    const uid = process.getuid?.() ?? 0;
    await rm(join(temporary, `slipway-${uid}`), { recursive: true });
    await mkdir(join(home, "others"));
    await symlink(join(home, "others"), join(temporary, `slipway-${uid}`));
    const refused = await sh(start, { env });
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("SLIPWAY_CACHE_DIR");
  });

  it.each([
    "https://x.example/'; touch pwned; '",
    'https://x.example/"; touch pwned; "',
    "https://x.example/$(touch pwned)",
    "https://x.example/`touch pwned`",
    "https://x.example/\n touch pwned",
    "https://x.example/\\",
  ])("takes %j for a URL and nothing else", async (accessUrl) => {
    const { home, sh } = await makeMachine();
    const scripts = await readShellScripts();
    const version = "v0'; touch pwned; '";
    for (const make of [scripts.start, scripts.coder, scripts.install]) {
      const { code, out } = await sh(make({ accessUrl, version }), { env: token });
      expect({ code, out }).toEqual({ code: 1, out: "" });
    }
    expect(await leftIn(home)).toEqual([]);
    expect(await readdir(home)).not.toContain("pwned");
  });
});

describe("/bin/coder-linux-amd64", () => {
  it("gets on with a start script for Coder", async () => {
    const { home, sh } = await makeMachine();
    const url = `${server.url}/bin/coder-linux-amd64`;
    const { code, out, err } = await sh(
      `curl -fsSL --compressed "${url}" -o coder && chmod +x coder || exit 1
      ./coder --version | head -n1 | grep -q Coder || exit 2
      exec ./coder agent`,
      { env: { ...token, CODER_AGENT_URL: server.url } },
    );
    expect(code, err).toBe(0);
    expect(out).toContain(`args=agent\nurl=${server.url} token=secret\n`);
    expect(await leftIn(home)).toHaveLength(1);
  });

  it("is the command with other words", async () => {
    const { sh } = await makeMachine();
    const coder = await server.script("/bin/coder-linux-arm64");
    const { out } = await sh(coder, { args: ["version", "--output", "json"] });
    expect(out).toContain("args=version --output json\n");
  });

  it("is known by its SHA-1", async () => {
    const response = await fetch(`${server.url}/bin/coder-linux-amd64`);
    const sum = createHash("sha1")
      .update(await response.text())
      .digest("hex");
    expect(response.headers.get("etag")).toBe(`"${sum}"`);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    const again = await fetch(`${server.url}/bin/coder-linux-amd64`, {
      headers: { "If-None-Match": `"${sum}"` },
    });
    expect(again.status).toBe(304);
  });
});
