import { once } from "node:events";
import type { Writable } from "node:stream";
import { text } from "node:stream/consumers";

import ssh2, { type Client, type ClientChannel, type ConnectConfig } from "ssh2";
import { expect, onTestFinished } from "vitest";

/** A client that can send any message on its connection, valid or not. */
export interface RawSshClient {
  readonly client: Client;
  /** Sends a message, bypassing all of the client's rules. */
  readonly send: (...parts: readonly Uint8Array[]) => void;
  /** Sends messages at the speed at which the other end reads them; resolves when all are sent. */
  readonly flood: (count: number, message: (index: number) => Uint8Array) => Promise<void>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
}

/** Connects a client for the duration of the test. */
export async function openRawSshClient(
  port: number,
  config: ConnectConfig = {},
): Promise<RawSshClient> {
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  client.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    client.on("close", () => resolve());
  });
  client.connect({ host: "127.0.0.1", port, username: "anybody", ...config });
  await once(client, "ready");
  const send: RawSshClient["send"] = (...parts) => sendMessage(client, Buffer.concat(parts));
  const socket: Writable = Reflect.get(client, "_sock");
  return {
    client,
    send,
    closed,
    flood: async (count, message) => {
      for (let index = 0; index < count; index += 1) {
        send(message(index));
        if (index % 1000 === 0 && socket.writableNeedDrain) {
          await Promise.race([once(socket, "drain"), closed]);
        }
      }
    },
  };
}

/** Runs a command. */
export function execute(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

/** Returns the other end's number for a channel. */
export function numberOf(channel: ClientChannel): number {
  return Number(Reflect.get(Object(Reflect.get(channel, "outgoing")), "id"));
}

export function byte(value: number): Buffer {
  return Buffer.of(value);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Encodes a string with its length prefix. */
export function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Starts a key exchange, and stops reading. */
export function beginKeyExchange(client: Client): void {
  const protocol = part(client, "_protocol");
  protocol.rekey();
  Reflect.set(part(protocol, "_decipher"), "_onPayload", () => undefined);
}

/** ssh2 has no public way to do this; its version is pinned. */
function sendMessage(client: Client, message: Buffer): void {
  const protocol = part(client, "_protocol");
  const writer = part(part(protocol, "_packetRW"), "write");
  const packet = Object(writer.alloc(message.length, true));
  packet.set(message, writer.allocStartKEX);
  part(protocol, "_cipher").encrypt(writer.finalize(packet, true));
}

function part(owner: object, name: string) {
  return Object(Reflect.get(owner, name));
}

/** Fails unless the next client on a port is served. */
export async function expectService(port: number): Promise<void> {
  const { client } = await openRawSshClient(port);
  expect(await text(await execute(client, "echo fine"))).toBe("fine\n");
}
