import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

import { Mailbox, systemClock } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { afterEach, expect, it } from "vitest";

import type { RemoteSocket } from "../../resources/network/agent-ports.ts";
import type { Forward } from "./forward-spec.ts";
import { UdpForward } from "./udp-forward.ts";

/* The workspace's ports are ports of this machine here. */

let resources = new AsyncDisposableStack();
afterEach(async () => {
  await resources.disposeAsync();
  resources = new AsyncDisposableStack();
});

async function bind(host = "127.0.0.1"): Promise<Socket> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4").bind(0, host);
  await once(socket, "listening");
  resources.defer(async () => {
    socket.close();
    await once(socket, "close");
  });
  return socket;
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Answers each datagram with its content and source port. */
async function echoServer(): Promise<number> {
  const socket = await bind();
  socket.on("message", (payload, { port }) => socket.send(`${payload.toString()} ${port}`, port));
  return socket.address().port;
}

interface Workspace {
  readonly connect: (port: number) => RemoteSocket;
  /** The open sockets. */
  readonly open: Set<Socket>;
}

function workspace(): Workspace {
  const open = new Set<Socket>();
  const connect = (port: number): RemoteSocket => {
    const socket = createSocket("udp4");
    open.add(socket);
    const close = (): void => {
      if (open.delete(socket)) socket.close();
    };
    const messages = (async function* () {
      const ended = new AbortController();
      socket.once("close", () => ended.abort());
      for (;;) {
        try {
          const [payload]: unknown[] = await once(socket, "message", { signal: ended.signal });
          if (payload instanceof Uint8Array) yield payload;
        } catch {
          return; // It is closed.
        }
      }
    })();
    return {
      send: (payload) => {
        if (payload.length > 1232) throw new RangeError("it does not fit a packet");
        socket.send(payload, port, "127.0.0.1");
      },
      close,
      [Symbol.asyncIterator]: () => messages,
    };
  };
  return { connect, open };
}

async function forwardTo(remotePort: number): Promise<Forward> {
  return { protocol: "udp", address: undefined, localPort: await freePort(), remotePort };
}

async function ask(socket: Socket, { localPort }: Forward, text: string): Promise<string> {
  const host = socket.address().family === "IPv6" ? "::1" : "127.0.0.1";
  const answer = once(socket, "message");
  socket.send(text, localPort, host);
  const [payload]: unknown[] = await answer;
  return String(payload);
}

it("answers each sender over a port of its own, on both loopback addresses", async () => {
  const forward = await forwardTo(await echoServer());
  const { connect, open } = workspace();
  const needs = { connect, clock: systemClock, report: () => undefined };
  const listening = await UdpForward.open(forward, needs);
  const senders = [await bind(), await bind(), await bind("::1")];
  const ports = new Set<string>();
  for (const [index, sender] of senders.entries()) {
    const first = await ask(sender, forward, `from ${index}`);
    expect(first).toMatch(new RegExp(`^from ${index} `));
    expect(await ask(sender, forward, `from ${index}`)).toBe(first);
    ports.add(first.slice(first.lastIndexOf(" ")));
  }
  expect(ports.size).toBe(3);
  await listening[Symbol.asyncDispose]();
  expect(open.size).toBe(0);
});

it("forgets senders that were silent for two minutes", async () => {
  const forward = await forwardTo(await echoServer());
  const clock = createFakeClock();
  const { connect, open } = workspace();
  resources.use(await UdpForward.open(forward, { connect, clock, report: () => undefined }));
  const [quiet, busy] = [await bind(), await bind()];
  await ask(quiet, forward, "hello");
  await ask(busy, forward, "hello");
  await clock.advance(70_000);
  await ask(busy, forward, "hello");
  expect(open.size).toBe(2);
  await clock.advance(60_000);
  expect(open.size).toBe(1);
  await clock.advance(120_000);
  expect(open.size).toBe(0);
  await ask(quiet, forward, "again");
  expect(open.size).toBe(1);
});

it("forgets a sender for good, even if an answer to it is still on its way", async () => {
  const forward = await forwardTo(9);
  const clock = createFakeClock();
  let opened = 0;
  let arrived = Promise.withResolvers<void>();
  const connect = (): RemoteSocket => {
    opened += 1;
    const answers = new Mailbox<Uint8Array>(1);
    return {
      send: () => arrived.resolve(),
      close: () => {
        answers.offer(Buffer.from("late"));
        answers.close();
      },
      [Symbol.asyncIterator]: () => answers[Symbol.asyncIterator](),
    };
  };
  resources.use(await UdpForward.open(forward, { connect, clock, report: () => undefined }));
  const sender = await bind();
  sender.send("first", forward.localPort, "127.0.0.1");
  await arrived.promise;
  const answer = once(sender, "message");
  await clock.advance(130_000);
  expect(String((await answer)[0])).toBe("late");
  arrived = Promise.withResolvers();
  sender.send("second", forward.localPort, "127.0.0.1");
  await arrived.promise;
  expect(opened).toBe(2);
});

it("reports a datagram that does not fit, and carries the next", async () => {
  const forward = await forwardTo(await echoServer());
  const said: string[] = [];
  const { connect } = workspace();
  const report = (text: string): void => void said.push(text);
  resources.use(await UdpForward.open(forward, { connect, clock: systemClock, report }));
  const sender = await bind();
  sender.send("x".repeat(1233), forward.localPort, "127.0.0.1");
  expect(await ask(sender, forward, "fits")).toMatch(/^fits /);
  expect(said).toEqual(["a datagram of 1233 bytes was dropped: it does not fit a packet"]);
});

it("bounds the senders: the one that was silent the longest makes room", async () => {
  const forward = await forwardTo(await echoServer());
  let opened = 0;
  let arrived = Promise.withResolvers<void>();
  const closed: number[] = [];
  const connect = (): RemoteSocket => {
    opened += 1;
    const number = opened;
    arrived.resolve();
    const ended = Promise.withResolvers<void>();
    return {
      send: () => undefined,
      close: () => {
        closed.push(number);
        ended.resolve();
      },
      // oxlint-disable-next-line require-yield -- it waits for its end
      async *[Symbol.asyncIterator]() {
        await ended.promise;
      },
    };
  };
  resources.use(
    await UdpForward.open(forward, { connect, clock: systemClock, report: () => undefined }),
  );
  for (let count = 1; count <= 1030; count += 1) {
    arrived = Promise.withResolvers();
    (await bind()).send("x", forward.localPort, "127.0.0.1");
    await arrived.promise;
  }
  expect(closed).toEqual([1, 2, 3, 4, 5, 6]);
});

it("names the flag when the local port is in use", async () => {
  const { port: localPort } = (await bind()).address();
  const forward: Forward = { protocol: "udp", address: "127.0.0.1", localPort, remotePort: 53 };
  const needs = { ...workspace(), clock: systemClock, report: () => undefined };
  await expect(UdpForward.open(forward, needs)).rejects.toThrow(
    `cannot listen on 127.0.0.1:${localPort} (--udp): the port is in use`,
  );
});
