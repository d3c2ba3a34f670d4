import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import ssh2, { type Client } from "ssh2";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { endOf, openSshWorkspace } from "../../../tests/support/ssh-workspace.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-forward-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

/** Listens and answers each text with its echo; returns the port, if it is one. */
async function openEcho(where: string | number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.write("echo ");
    socket.pipe(socket);
  });
  onTestFinished(() => void server.close());
  if (typeof where === "string") server.listen(where);
  else server.listen(where, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

/** Sends a text, then the end, and returns the answer. */
async function ask(where: { readonly path: string } | { readonly port: number }): Promise<string> {
  const socket = connect({ host: "127.0.0.1", ...where, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.end("hello");
  return text(socket);
}

/** Asks until somebody listens. */
async function askSoon(where: Parameters<typeof ask>[0]): Promise<string> {
  let answer = "";
  await expect
    .poll(async () => (answer = await ask(where).catch(() => "")), { timeout: 10_000 })
    .not.toBe("");
  return answer;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

/** Connects a client to a workspace, by default one of its own. */
async function connectClient(known?: number): Promise<Client> {
  const port = known ?? (await openSshWorkspace()).port;
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.connect({ host: "127.0.0.1", port, username: "anybody", strictVendor: false });
  await once(client, "ready");
  return client;
}

/** Asks the workspace to listen on a Unix socket; resolves to the error, if it does not. */
function listenFor(client: Client, path: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    client.openssh_forwardInStreamLocal(path, (error) => resolve(error ?? undefined));
  });
}

describe("forwarding over OpenSSH's client", () => {
  it("connects to a port of the workspace, and ends each direction by itself", async () => {
    const { start } = await openSshWorkspace();
    const port = await openEcho(0);
    const child = start([], ["-W", `127.0.0.1:${port}`]);
    child.stdin?.end("hello");
    expect(await endOf(child)).toMatchObject({ stdout: "echo hello", exitCode: 0 });
  });

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
    const nobody = await endOf(start([], ["-W", `127.0.0.1:${await freePort()}`]));
    expect(nobody.exitCode).toBe(255);
    const blocked = await openSshWorkspace({ settings: { blockLocalForwarding: true } });
    const port = await openEcho(0);
    const refused = await endOf(blocked.start([], ["-W", `127.0.0.1:${port}`]));
    expect(refused.exitCode).toBe(255);
  });

  it("connects to a Unix socket of the workspace", async () => {
    const { start } = await openSshWorkspace();
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    await openEcho(there);
    start([], ["-N", "-L", `${here}:${there}`]);
    expect(await askSoon({ path: here })).toBe("echo hello");
  });

  it("listens on a port of the workspace for the client, until it goes", async () => {
    const { start } = await openSshWorkspace();
    const target = await openEcho(0);
    const port = await freePort();
    const child = start([], ["-N", "-R", `127.0.0.1:${port}:127.0.0.1:${target}`]);
    expect(await askSoon({ port })).toBe("echo hello");
    child.kill("SIGKILL");
    await expect
      .poll(() => ask({ port }).catch((error: Error) => error.message))
      .toMatch("REFUSED");
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

  it("chooses a port where the client leaves that open, until it cancels", async () => {
    const client = await connectClient();
    client.on("tcp connection", (_info, accept) => void accept().end("from the client"));
    const chosen = await new Promise<number>((resolve, reject) => {
      client.forwardIn("127.0.0.1", 0, (error, found) =>
        error === undefined ? resolve(found) : reject(error),
      );
    });
    expect(await ask({ port: chosen })).toBe("from the client");
    await new Promise((resolve) => {
      client.unforwardIn("127.0.0.1", 0, resolve);
    });
    await expect(ask({ port: chosen })).rejects.toThrow("ECONNREFUSED");
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

  it("lends the client's authentication agent to its commands, and to no others", async () => {
    const { start } = await openSshWorkspace();
    const key = join(folder, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "my key", "-f", key]);
    const socket = join(folder, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    onTestFinished(() => void agent.kill("SIGKILL"));
    const environment = { SSH_AUTH_SOCK: socket };
    const add = (): boolean => {
      try {
        const env = { ...process.env, ...environment };
        execFileSync("ssh-add", ["-q", key], { env, stdio: "ignore" });
        return true;
      } catch {
        return false;
      }
    };
    await expect.poll(add).toBe(true);
    const lent = await endOf(start(["ssh-add -l"], ["-A"], environment));
    expect(lent).toMatchObject({ stdout: expect.stringContaining("my key"), exitCode: 0 });
    const other = await endOf(start(["echo =$SSH_AUTH_SOCK"], ["-a"], environment));
    expect(other.stdout).toBe("=\n");
  });
});
