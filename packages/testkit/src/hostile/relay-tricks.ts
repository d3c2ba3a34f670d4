import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { type KeyPair, sodiumCrypto } from "@slipway/relay";
import { DerpError } from "@slipway/wire/derp/errors";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import { maxServerFrameBytes } from "@slipway/wire/derp/header";

import { encodeRelayLogin } from "../servers/relay-login.ts";
import { connectStrangers, writeAll } from "./stranger-connection.ts";
import type { HostileTarget } from "./target.ts";
import type { Play, Trick } from "./trick.ts";

/** The time limit for a client's login. */
const loginMs = 5_000;

/** All attacks of relay clients that belong to no workspace and no user. */
export const relayTricks: readonly Trick[] = [
  {
    name: "empty packets between all relay clients",
    run: (target, play, signal) =>
      withClients(target, play, 150, async (clients) => {
        const packets = Buffer.concat(clients.map(({ keys }) => packetTo(keys, 0)));
        await Promise.all(clients.map(({ socket }) => within(writeAll(socket, packets))));
        await pause(1_000, undefined, { signal });
      }),
  },
  {
    name: "small packets to many relay clients",
    run: (target, play, signal) =>
      withClients(target, play, 100, async (clients) => {
        const packets = Buffer.concat(clients.map(({ keys }) => packetTo(keys, 24)));
        const senders = clients.slice(0, 10);
        for (let round = 0; round < 100; round += 1) {
          await Promise.all(senders.map(({ socket }) => within(writeAll(socket, packets))));
        }
        await pause(500, undefined, { signal });
      }),
  },
  {
    name: "pings of relay clients",
    run: (target, play, signal) =>
      withClients(target, play, 50, async (clients) => {
        const ping = encodeDerpFrame({ type: "ping", data: new Uint8Array(8) });
        const pings = Buffer.concat(Array.from({ length: 5_000 }, () => ping));
        for (let round = 0; round < 10; round += 1) {
          await Promise.all(clients.map(({ socket }) => within(writeAll(socket, pings))));
        }
        await pause(500, undefined, { signal });
      }),
  },
  {
    name: "relay clients that leave immediately",
    run: (target, play, signal) =>
      withClients(target, play, 300, async (clients) => {
        const packets = Buffer.concat(clients.map(({ keys }) => packetTo(keys, 1)));
        for (const { socket } of clients.slice(0, 50)) socket.write(packets);
        await pause(1_000, undefined, { signal });
        for (const { socket } of clients) socket.resetAndDestroy();
        await pause(500, undefined, { signal });
      }),
  },
  {
    name: "endless frames of relay clients",
    run: (target, play, signal) =>
      withClients(target, play, 200, async (clients) => {
        const part = packetTo(sodiumCrypto.createKeyPair(), 65_000).subarray(0, 64_000);
        for (const { socket } of clients) socket.write(part);
        await pause(2_000, undefined, { signal });
      }),
  },
  {
    name: "repeated relay logins",
    run: async (target, play) => {
      for (let round = 0; round < 10; round += 1) {
        await withClients(target, play, 50, async () => undefined);
      }
    },
  },
];

interface RelayClient {
  readonly keys: KeyPair;
  readonly socket: Socket;
}

/** Logs in many clients and lets them act; clients that the relay refuses are left out. */
async function withClients(
  target: HostileTarget,
  play: Play,
  count: number,
  act: (clients: readonly RelayClient[]) => Promise<void>,
): Promise<void> {
  const sockets = await connectStrangers(target, count);
  try {
    const clients = await Promise.all(sockets.map((socket) => logIn(socket)));
    for (const client of clients) play.note(client !== undefined);
    await act(clients.filter((client) => client !== undefined));
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** Logs in with a new key; resolves to undefined if the relay closes the connection or does not answer in time. */
async function logIn(socket: Socket): Promise<RelayClient | undefined> {
  const keys = sodiumCrypto.createKeyPair();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let reader: DerpFrameReader | undefined = new DerpFrameReader(maxServerFrameBytes);
  const receive = (chunk: Buffer): unknown =>
    reader?.read(chunk, (bytes, start, end) => {
      const frame = parseDerpFrame(bytes, start, end);
      if (frame?.type === "server-key") socket.write(encodeRelayLogin(frame.key, keys));
      if (frame?.type !== "server-info") return;
      reader = undefined;
      resolve(true);
    });
  socket.on("data", (chunk: Buffer) => {
    try {
      receive(chunk);
    } catch (error) {
      if (!(error instanceof DerpError)) throw error;
      // The relay refused over HTTP.
      reader = undefined;
      resolve(false);
    }
  });
  socket.once("close", () => resolve(false));
  socket.write(
    "GET /derp HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: DERP\r\nDerp-Fast-Start: 1\r\n\r\n",
  );
  const isIn = await Promise.race([promise, pause(loginMs, false)]);
  return isIn && !socket.destroyed ? { keys, socket } : undefined;
}

function packetTo({ publicKey: destination }: KeyPair, length: number): Uint8Array {
  return encodeDerpFrame({ type: "send-packet", destination, packet: new Uint8Array(length) });
}

/** Waits for a write, with a time limit: a relay may never read it. */
async function within(written: Promise<void>): Promise<void> {
  await Promise.race([written, pause(loginMs)]);
}
