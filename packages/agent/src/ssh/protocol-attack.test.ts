import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import {
  beginKeyExchange,
  byte,
  execute,
  numberOf,
  openRawSshClient,
  string,
  uint32,
} from "../../tests/support/raw-ssh-client.ts";
import { openSocketPair } from "../../tests/support/socket-pair.ts";
import { openSshWorkspace, type SshWorkspace } from "../../tests/support/ssh-workspace.ts";

/** The numbers of messages (RFC 4250, 4.1.2). */
const message = {
  disconnect: byte(1),
  keyExchange: byte(20),
  authentication: byte(50),
  authenticationAnswer: byte(61),
  globalRequest: byte(80),
  openChannel: byte(90),
  adjustWindow: byte(93),
  data: byte(94),
  close: byte(97),
  channelRequest: byte(98),
} as const;

const [yes, no] = [byte(1), byte(0)];
const forward = (address: string, port: number): Buffer =>
  Buffer.concat([
    message.globalRequest,
    string("tcpip-forward"),
    yes,
    string(address),
    uint32(port),
  ]);

let workspace: SshWorkspace;

beforeEach(async () => {
  workspace = await openSshWorkspace();
});

/** Fails unless the next client is served. */
async function expectService(): Promise<void> {
  const { client } = await openRawSshClient(workspace.port);
  expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
}

/** The bytes that the process holds, after what is of no more use was freed. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-attack-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("before the keys are exchanged", () => {
  const ident = Buffer.from("SSH-2.0-attack\r\n");
  const packet = (payload: Uint8Array, { length = payload.length + 9, padding = 8 } = {}): Buffer =>
    Buffer.concat([uint32(length), byte(padding), payload, Buffer.alloc(8)]);
  const lists = Buffer.concat([
    Buffer.alloc(16),
    ...Array.from({ length: 10 }, () => string("none")),
  ]);

  /** Sends bytes and keeps the connection open, as long as it lasts. */
  async function attack(...parts: readonly Uint8Array[]): Promise<void> {
    const socket = connect({ host: "127.0.0.1", port: workspace.port, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(Buffer.concat(parts));
    await once(socket, "end");
  }

  it.each([
    ["a packet of 4 GB", [packet(byte(20), { length: 0xffffffff })]],
    ["a packet of no bytes", [packet(byte(20), { length: 0 })]],
    ["more padding than packet", [packet(Buffer.alloc(23), { padding: 255 })]],
    [
      "algorithms that nobody knows",
      [packet(Buffer.concat([message.keyExchange, lists, Buffer.alloc(5)]))],
    ],
    [
      "lists that are longer than the packet",
      [packet(Buffer.concat([message.keyExchange, Buffer.alloc(16), uint32(0xfffffff0)]))],
    ],
    ["a request to log in", [packet(Buffer.concat([message.authentication, string("root")]))]],
    ["a channel", [packet(Buffer.concat([message.openChannel, string("session")]))]],
    ["a disconnection", [packet(Buffer.concat([message.disconnect, uint32(2), string("")]))]],
  ])("refuses %s, and serves the next client", async (_, parts) => {
    await attack(ident, ...parts);
    await expectService();
  });

  it("does not fail at random bytes", async () => {
    const packets = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 100 }), fc.uint8Array({ maxLength: 200 })),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(packets, async (messages) => {
        const socket = connect({ host: "127.0.0.1", port: workspace.port });
        socket.on("error", () => undefined);
        socket.resume();
        socket.write(ident);
        for (const [type, rest] of messages) {
          socket.write(packet(Buffer.concat([byte(type), rest])));
        }
        socket.end();
        await once(socket, "close");
      }),
      { numRuns: 50 },
    );
    await expectService();
  });
});

describe("a client with keys", () => {
  it.each([
    ["an answer to no question", [message.authenticationAnswer, uint32(32 * 1024 * 1024 - 1)]],
    ["data for a channel without a number", [message.data]],
    ["the highest number of a channel", [message.data, uint32(0xffffffff), string("x")]],
    ["a text longer than its message", [message.channelRequest, uint32(0), uint32(0xffffffff)]],
    [
      "a second log-in",
      [message.authentication, string("a"), string("ssh-connection"), string("none")],
    ],
    [
      "a login to another service",
      [message.authentication, string("a"), string("x"), string("none")],
    ],
    ["a disconnection", [message.disconnect, uint32(2), string("bye"), string("")]],
    ["keys in the midst of nothing", [byte(30), string("x")]],
  ])("is cut off, or ignored, after %s", async (_, parts) => {
    const { send, closed } = await openRawSshClient(workspace.port);
    send(...parts);
    // Ends it at the latest.
    send(message.data);
    await closed;
    await expectService();
  });

  it("is served further after messages for channels that do not exist, and unknown ones", async () => {
    const { client, send } = await openRawSshClient(workspace.port);
    for (const number of [1, 7, 0x7fffffff, 0xfffffffe]) {
      for (let type = 91; type <= 100; type += 1) {
        send(byte(type), uint32(number), Buffer.alloc(16));
      }
    }
    for (const type of [2, 3, 4, 7, 9, 19, 51, 101, 191, 192, 255])
      send(byte(type), Buffer.alloc(20));
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
  });

  it("does not fail at random messages", async () => {
    const one = fc.tuple(
      fc.constantFrom(1, 2, 4, 5, 20, 30, 50, 80, 90, 91, 93, 94, 95, 96, 97, 98),
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc
          .tuple(
            fc.constantFrom(0, 1, 2),
            fc.constantFrom("env", "exec", "shell", "pty-req", "subsystem", "signal", "x11-req"),
            fc.uint8Array({ maxLength: 40 }),
          )
          .map(([channel, name, rest]) =>
            Buffer.concat([uint32(channel), string(name), yes, string(rest)]),
          ),
        fc
          .tuple(
            fc.constantFrom("session", "direct-tcpip", "direct-streamlocal@openssh.com", "x"),
            fc.uint8Array({ maxLength: 40 }),
          )
          .map(([type, rest]) => Buffer.concat([string(type), rest])),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 8 }), async (messages) => {
        const { client, send, closed } = await openRawSshClient(workspace.port);
        for (const [type, rest] of messages) send(byte(type), rest);
        client.end();
        await closed;
      }),
      { numRuns: 50 },
    );
    await expectService();
  }, 60_000);

  it.each([
    ["tcpip-forward", forward("\0", 0)],
    ["tcpip-forward", forward("127.0.0.1", 70_000)],
    ["tcpip-forward", forward("x".repeat(20_000), 0)],
    [
      "streamlocal-forward",
      Buffer.concat([
        message.globalRequest,
        string("streamlocal-forward@openssh.com"),
        yes,
        string("/\0"),
      ]),
    ],
  ])("is refused %s of what is no address", async (_, request) => {
    const { client, send } = await openRawSshClient(workspace.port);
    send(request);
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
  });

  it.each(["\0", "a b\n", "x".repeat(20_000)])(
    "is refused connections to the host %j",
    async (host) => {
      const { client } = await openRawSshClient(workspace.port, { strictVendor: false });
      const refused = new Promise((resolve) => {
        client.forwardOut("", 0, host, 22, (error) => resolve(error?.message));
      });
      expect(await refused).toMatch("open failure");
      const noSocket = new Promise((resolve) => {
        client.openssh_forwardOutStreamLocal(`/${host}`, (error) => resolve(error?.message));
      });
      expect(await noSocket).toMatch("open failure");
    },
  );

  it("gets no large key exchange, and no compression", async () => {
    const config = { algorithms: { kex: ["diffie-hellman-group18-sha512" as const] } };
    await expect(openRawSshClient(workspace.port, config)).rejects.toThrow("no matching key");
    const packed = { algorithms: { compress: ["zlib@openssh.com" as const] } };
    await expect(openRawSshClient(workspace.port, packed)).rejects.toThrow("compression");
  });
});

describe("a client that wants memory", () => {
  it("opens and closes sessions without end, none of which remain", async () => {
    const { client, flood } = await openRawSshClient(workspace.port);
    const count = 5000;
    const before = heldBytes();
    await flood(2 * count, (index) =>
      index % 2 === 0
        ? Buffer.concat([message.openChannel, string("session"), uint32(1e6), uint32(1), uint32(1)])
        : Buffer.concat([message.close, uint32(Math.floor(index / 2))]),
    );
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
    expect((heldBytes() - before) / count).toBeLessThan(1000);
  });

  it("sends input byte by byte to a command that does not read, which takes few pieces", async () => {
    const { client, flood } = await openRawSshClient(workspace.port);
    const channel = await execute(client, "sleep 2; exec wc -c");
    // So many that whatever else has grown meanwhile counts for little.
    const count = 60_000;
    const before = heldBytes();
    const one = Buffer.concat([message.data, uint32(numberOf(channel)), string("x")]);
    await flood(count, () => one);
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
    expect((heldBytes() - before) / count).toBeLessThan(50);
    channel.end();
    expect(await text(channel)).toBe(`${count}\n`);
  });

  it("begins to exchange keys and does not go on: the output that waits for it is not produced", async () => {
    const folder = openFolder();
    workspace = await openSshWorkspace({ settings: { maxTimeoutMs: 1000 } });
    const { client, send, closed } = await openRawSshClient(workspace.port);
    const script = `read line; while echo >> ${folder}/lines; do head -c 1000000 /dev/zero; done`;
    const channel = await execute(client, script);
    send(message.adjustWindow, uint32(numberOf(channel)), uint32(0xfffffff0));
    send(message.data, uint32(numberOf(channel)), string("go\n"));
    beginKeyExchange(client);
    await closed;
    const { length } = readFileSync(join(folder, "lines"), "utf8");
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(10);
    await expectService();
  });

  it("asks without end and without reading, and is held up until it reads", async () => {
    const [ours, theirs] = await openSocketPair();
    workspace.accept(theirs);
    const { client, flood } = await openRawSshClient(workspace.port, { sock: ours });
    const paused = once(theirs, "pause");
    ours.pause();
    const ping = Buffer.concat([message.globalRequest, string("keepalive@openssh.com"), yes]);
    const flooding = flood(40_000, () => ping);
    await paused;
    expect(theirs.writableLength).toBeLessThan(2_000_000);
    await expectService();
    ours.resume();
    await flooding;
    expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
  });
});

it("knows names of any length and kind, and says no", async () => {
  const { client, send } = await openRawSshClient(workspace.port);
  const channel = await execute(client, "exec sleep 1000");
  const to = uint32(numberOf(channel));
  const request = (name: string, ...rest: readonly Uint8Array[]): void =>
    send(message.channelRequest, to, string(name), no, ...rest);
  request("env", string("x".repeat(16_000)), string("y".repeat(16_000)));
  request("subsystem", string("s".repeat(30_000)));
  request("exec", string("e".repeat(30_000)));
  request("n".repeat(30_000));
  request("window-change", uint32(0xffffffff), uint32(0), uint32(0), uint32(0));
  request("signal", string("WINCH".repeat(5000)));
  // An unknown signal kills (docs/protocol/agent.md §6.4).
  const [code, signal] = await once(channel, "exit");
  expect([code, signal]).toEqual([255, undefined]);
});
