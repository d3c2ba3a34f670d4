import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import {
  byte,
  execute,
  expectService,
  numberOf,
  openRawSshClient,
  string,
  uint32,
} from "../support/raw-ssh-client.ts";
import { message } from "../support/ssh-messages.ts";
import { openSshWorkspace, type SshWorkspace } from "../support/ssh-workspace.ts";

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

describe("before the keys are exchanged", () => {
  const ident = Buffer.from("SSH-2.0-attack\r\n");
  const packet = (payload: Uint8Array, { length = payload.length + 9, padding = 8 } = {}): Buffer =>
    Buffer.concat([uint32(length), byte(padding), payload, Buffer.alloc(8)]);
  const lists = Buffer.concat([
    Buffer.alloc(16),
    ...Array.from({ length: 10 }, () => string("none")),
  ]);

  /** Sends bytes and keeps the connection open for as long as it lasts. */
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
    await expectService(workspace.port);
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
    await expectService(workspace.port);
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
    await expectService(workspace.port);
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
    await expectService(workspace.port);
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
