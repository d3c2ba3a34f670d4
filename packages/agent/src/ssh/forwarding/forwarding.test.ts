import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ask, askSoon, endOf, findFreePort, openEcho } from "@slipway/testkit/compliance";
import ssh2, { type Client } from "ssh2";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { openSshWorkspace } from "../../../tests/support/ssh-workspace.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-forward-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

/** Connects a client to a workspace, by default a new one. */
async function connectClient(known?: number): Promise<Client> {
  const port = known ?? (await openSshWorkspace()).port;
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.connect({ host: "127.0.0.1", port, username: "anybody", strictVendor: false });
  await once(client, "ready");
  return client;
}

/** Requests listening on a Unix socket in the workspace; resolves to the error if it fails. */
function listenFor(client: Client, path: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    client.openssh_forwardInStreamLocal(path, (error) => resolve(error ?? undefined));
  });
}

describe("forwarding over OpenSSH's client", () => {
  it("counts and reports connections to editors of JetBrains alone", async () => {
    const { start, sessions, reports } = await openSshWorkspace();
    const script = `require("net").createServer((socket) => socket.write("editor")).listen(0,
      "127.0.0.1", function () { console.log(this.address().port); });`;
    const args = ["-e", script, "--", "-Didea.vendor.name=JetBrains"];
    const editor = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void editor.kill("SIGKILL"));
    const [line] = await once(editor.stdout, "data");
    const child = start([], ["-W", `127.0.0.1:${Number(String(line))}`]);
    await expect.poll(() => sessions.counts.jetbrains, { timeout: 10_000 }).toBe(1);
    child.kill("SIGKILL");
    await expect
      .poll(() => reports.map(({ type, action }) => `${type} ${action}`), { timeout: 10_000 })
      .toEqual(["jetbrains connect", "jetbrains disconnect"]);
    const port = await openEcho(0);
    const other = start([], ["-W", `127.0.0.1:${port}`]);
    other.stdin?.end("hello");
    expect((await endOf(other)).stdout).toBe("echo hello");
    expect(reports.length).toBe(2);
  });

  it("says so where nobody listens, or forwarding is blocked", async () => {
    const { start } = await openSshWorkspace();
    const nobody = await endOf(start([], ["-W", `127.0.0.1:${await findFreePort()}`]));
    expect(nobody.exitCode).toBe(255);
    const blocked = await openSshWorkspace({ settings: { blockLocalForwarding: true } });
    const port = await openEcho(0);
    const refused = await endOf(blocked.start([], ["-W", `127.0.0.1:${port}`]));
    expect(refused.exitCode).toBe(255);
  });

  it("listens on a Unix socket of the workspace for the client", async () => {
    const { start } = await openSshWorkspace();
    const target = await openEcho(0);
    const path = join(folder, "deep", "socket");
    start([], ["-N", "-R", `${path}:127.0.0.1:${target}`]);
    expect(await askSoon({ path })).toBe("echo hello");
  });

  it("refuses to listen where that is blocked", async () => {
    const { start } = await openSshWorkspace({ settings: { blockReverseForwarding: true } });
    const options = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9"];
    expect((await endOf(start([], options))).exitCode).toBe(255);
  });

  it("listens on one socket for a client that asks for it twice at once", async () => {
    const client = await connectClient();
    client.on("unix connection", (_info, accept) => void accept().end("from the client"));
    const path = join(folder, "twice");
    expect(await Promise.all([listenFor(client, path), listenFor(client, path)])).toEqual([
      undefined,
      undefined,
    ]);
    expect(await ask({ path })).toBe("from the client");
  });

  it.runIf(process.platform === "linux")(
    "refuses a socket where nobody makes directories",
    async () => {
      const client = await connectClient();
      const error = await listenFor(client, "/proc/nowhere/socket");
      expect(error?.message).toContain("Unable to bind");
    },
  );

  it("puts its socket into the place of another, and of nothing else", async () => {
    const client = await connectClient();
    client.on("unix connection", (_info, accept) => void accept().end("from the client"));
    const [file, socket] = [join(folder, "file"), join(folder, "socket")];
    writeFileSync(file, "precious");
    expect((await listenFor(client, file))?.message).toContain("Unable to bind");
    expect(readFileSync(file, "utf8")).toBe("precious");
    await openEcho(socket);
    expect(await listenFor(client, socket)).toBeUndefined();
    expect(await ask({ path: socket })).toBe("from the client");
  });

  it("leaves a socket where it is, for which a client has no room anymore", async () => {
    const { port } = await openSshWorkspace({ descriptorLimit: 16 });
    const client = await connectClient(port);
    const [first, second, third] = ["first", "second", "third"].map((name) => join(folder, name));
    await openEcho(third ?? "");
    // Two for one connection: half of a quarter.
    expect(await listenFor(client, first ?? "")).toBeUndefined();
    expect(await listenFor(client, second ?? "")).toBeUndefined();
    expect((await listenFor(client, third ?? ""))?.message).toContain("Unable to bind");
    expect(await ask({ path: third ?? "" })).toBe("echo hello");
  });

  it("leaves a socket where it is once another client has taken the place", async () => {
    const { port } = await openSshWorkspace();
    const [before, after] = [await connectClient(port), await connectClient(port)];
    const path = join(folder, "taken");
    expect(await listenFor(before, path)).toBeUndefined();
    expect(await listenFor(after, path)).toBeUndefined();
    const others = ["one", "two", "three"].map((name) => join(folder, name));
    for (const other of others) expect(await listenFor(before, other)).toBeUndefined();
    after.on("unix connection", (_info, accept) => void accept().end("from the second"));
    before.end();
    await once(before, "close");
    await expect.poll(() => others.some((other) => existsSync(other))).toBe(false);
    expect(await ask({ path })).toBe("from the second");
    after.end();
    await expect.poll(() => existsSync(path)).toBe(false);
  });
});
