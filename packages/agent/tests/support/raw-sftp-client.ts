import type { ClientChannel } from "ssh2";
import { expect } from "vitest";

import { PacketReader } from "../../src/ssh/sftp/packets.ts";
import { byte, openRawSshClient, string, uint32 } from "./raw-ssh-client.ts";

/** The types of requests, and of the responses to them. */
export const request = {
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  setFile: 10,
  openDirectory: 11,
  readDirectory: 12,
  realPath: 16,
  stat: 17,
  setPath: 9,
  extended: 200,
} as const;
export const answered = {
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
} as const;
export const [forReading, forWriting] = [1, 2 | 8];
export const noAttributes = uint32(0);

export interface SftpReply {
  readonly type: number;
  /** The rest of the response, after the id. */
  readonly fields: Buffer;
}

/** An SFTP client that can send anything. */
export interface RawSftp {
  readonly channel: ClientChannel;
  /** Sends bytes that need not form a packet. */
  readonly send: (bytes: Uint8Array) => void;
  readonly ask: (type: number, ...fields: readonly Uint8Array[]) => Promise<SftpReply>;
  /** Returns the status of the response; undefined for another type of response. */
  readonly status: (type: number, ...fields: readonly Uint8Array[]) => Promise<number | undefined>;
  readonly open: (path: string, flags: number) => Promise<Buffer>;
}

export const uint64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
export const packet = (...fields: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(fields);
  return Buffer.concat([uint32(body.length), body]);
};

/** Opens a session of SFTP over a connection that lasts as long as the test. */
export async function openRawSftpAt(port: number): Promise<RawSftp> {
  const { client } = await openRawSshClient(port);
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.subsys("sftp", (error, opened) =>
      error === undefined ? resolve(opened) : reject(error),
    );
  });
  const waiting: ((reply: SftpReply) => void)[] = [];
  const reader = new PacketReader();
  channel.on("data", (chunk: Buffer) => {
    for (const reply of reader.receive(chunk)) {
      waiting.shift()?.({ type: reply[0] ?? 0, fields: reply.subarray(5) });
    }
  });
  const ask: RawSftp["ask"] = (type, ...fields) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      channel.write(packet(byte(type), uint32(7), ...fields));
    });
  const reply = (): Promise<SftpReply> => new Promise((resolve) => void waiting.push(resolve));
  const version = reply();
  channel.write(packet(byte(1), uint32(3)));
  await version;
  return {
    channel,
    send: (bytes) => void channel.write(bytes),
    ask,
    status: async (type, ...fields) => {
      const { type: kind, fields: rest } = await ask(type, ...fields);
      return kind === answered.status ? rest.readUInt32BE() : undefined;
    },
    open: async (path, flags) => {
      const { type, fields } = await ask(request.open, string(path), uint32(flags), noAttributes);
      expect(type).toBe(answered.handle);
      return fields;
    },
  };
}
