import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import ssh2, { type Client, type X11Options } from "ssh2";
import { beforeEach, expect, it, onTestFinished } from "vitest";

import { openSshWorkspace } from "../../../tests/support/ssh-workspace.ts";
import { readX11Request } from "./x11-display.ts";

const cookie = "00112233445566778899aabbccddeeff";
let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "slipway-x11-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
});

/** Connects a client whose X11 display answers each program with one word. */
async function openClient(port: number): Promise<Client> {
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.on("error", () => undefined);
  client.on("x11", (_info, accept) => void accept().end("display"));
  client.connect({ host: "127.0.0.1", port, username: "anybody" });
  await once(client, "ready");
  return client;
}

/** Runs a command with the client's display; returns its output. */
async function run(client: Client, command: string, options: X11Options = {}): Promise<string> {
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) => {
    const x11 = { single: false, screen: 0, protocol: "MIT-MAGIC-COOKIE-1", cookie, ...options };
    client.exec(command, { x11 }, (error, opened) =>
      error === undefined ? resolve(opened) : reject(error),
    );
  });
  const [out, err] = await Promise.all([text(channel), text(channel.stderr)]);
  return out + err;
}

/** Connects to `$DISPLAY` as often as its argument says, and prints the received data. */
function programs(count: number): string {
  const script = `
    const port = 6000 + Number(/:(\\d+)/.exec(process.env.DISPLAY)[1]);
    const connect = () => new Promise((done) => {
      const socket = require("net").connect(port, "127.0.0.1");
      socket.on("data", (data) => process.stdout.write(data + " "));
      socket.on("error", (error) => process.stdout.write(error.code + " "));
      socket.on("close", done);
    });
    (async () => { for (let i = 0; i < ${count}; i += 1) await connect(); })();`;
  return `${process.execPath} -e '${script}'`;
}

it("shows programs on the client's display, as many as there are", async () => {
  const { port } = await openSshWorkspace({ home });
  const client = await openClient(port);
  expect(await run(client, programs(3))).toBe("display display display ");
});

it("names the display and the screen, and gives the client's cookie to programs", async () => {
  const { port } = await openSshWorkspace({ home });
  const client = await openClient(port);
  const shown = await run(client, "echo $DISPLAY; xxd -p $HOME/.Xauthority", { screen: 2 });
  expect(shown).toMatch(/^localhost:\d+\.2\n/);
  expect(readFileSync(join(home, ".Xauthority")).toString("hex")).toMatch(
    new RegExp(`^0100.*${Buffer.from("MIT-MAGIC-COOKIE-1").toString("hex")}0010${cookie}$`),
  );
  expect(existsSync(join(home, ".Xauthority-c"))).toBe(false);
});

it("lets one program in where the client wants one only", async () => {
  const { port } = await openSshWorkspace({ home });
  const client = await openClient(port);
  expect(await run(client, programs(2), { single: true })).toBe("display ECONNREFUSED ");
});

it("ends the display with its session", async () => {
  const { port } = await openSshWorkspace({ home });
  const client = await openClient(port);
  const [, display] = /:(\d+)/.exec(await run(client, "echo $DISPLAY")) ?? [];
  const server = createServer();
  onTestFinished(() => void server.close());
  await expect
    .poll(async () => {
      server.listen(6000 + Number(display), "127.0.0.1");
      const [found] = await Promise.race([
        once(server, "listening").then(() => ["free"]),
        once(server, "error"),
      ]);
      return found;
    })
    .toBe("free");
});

it("runs the command without a display where the cookie cannot be written", async () => {
  writeFileSync(join(home, ".Xauthority"), "not a file of cookies");
  const { port } = await openSshWorkspace({ home });
  const client = await openClient(port);
  const shown = await run(client, "echo =$DISPLAY");
  expect(shown).toMatch(/^=\nX11 is not forwarded: .*\.Xauthority is malformed\r\n$/);
});

it("waits for nobody who might write into a pipe in the place of the file", async () => {
  execFileSync("mkfifo", [join(home, ".Xauthority")]);
  const { port } = await openSshWorkspace({ home });
  const client = await openClient(port);
  const shown = await run(client, "echo =$DISPLAY");
  expect(shown).toMatch(/^=\nX11 is not forwarded: .*\.Xauthority is not a regular file\r\n$/);
});

it("waits for the lock of another program, and breaks that of a dead one", async () => {
  const file = join(home, ".Xauthority");
  mkdirSync(home, { recursive: true });
  writeFileSync(`${file}-c`, "");
  writeFileSync(`${file}-l`, "");
  const { port } = await openSshWorkspace({ home });
  const client = await openClient(port);
  const waiting = run(client, "echo $DISPLAY");
  await expect.poll(() => existsSync(`${file}-c`)).toBe(true);
  rmSync(`${file}-l`);
  rmSync(`${file}-c`);
  expect(await waiting).toMatch(/^localhost:/);
  const { utimesSync } = await import("node:fs");
  writeFileSync(`${file}-c`, "");
  utimesSync(`${file}-c`, 1, 1);
  expect(await run(client, "echo $DISPLAY")).toMatch(/^localhost:/);
});

it.each([
  ["a/b", cookie, 0],
  ["", cookie, 0],
  ["x".repeat(65), cookie, 0],
  ["MIT-MAGIC-COOKIE-1", "", 0],
  ["MIT-MAGIC-COOKIE-1", "0", 0],
  ["MIT-MAGIC-COOKIE-1", "zz", 0],
  ["MIT-MAGIC-COOKIE-1", "00".repeat(257), 0],
  ["MIT-MAGIC-COOKIE-1", cookie, 256],
])("takes no request with %j, %j and screen %d", (protocol, digits, screen) => {
  const request = { single: false, protocol, cookie: digits, screen };
  expect(readX11Request(request)).toBeUndefined();
});
