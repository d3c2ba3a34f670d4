import { spawn as spawnChild } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";

import { spawn as spawnOnPty } from "@lydell/node-pty";
import type { ApiClient } from "@slipway/sdk/http";
import { WebSocket } from "ws";

/** A byte stream to a program or an echo. */
export interface ByteChannel {
  write(text: string): void;
  /** Calls the listener for each piece; replaces an earlier listener. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Resolves once no more bytes will come. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens a channel to a shell command; the floor of echoes ignores it. */
export type OpenChannel = (command: string) => Promise<ByteChannel>;

/** Holds pieces until there is a listener. */
class Inbox {
  readonly #early: Uint8Array[] = [];
  #listener: ((bytes: Uint8Array) => void) | undefined;

  take(bytes: Uint8Array): void {
    if (this.#listener === undefined) this.#early.push(bytes);
    else this.#listener(bytes);
  }

  listen(listener: (bytes: Uint8Array) => void): void {
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) listener(bytes);
  }
}

/** A local pseudo terminal by node-pty alone, the floor. */
export const openRawPty: OpenChannel = async (command) => {
  const inbox = new Inbox();
  const pty = spawnOnPty("/bin/sh", ["-c", command], { encoding: null });
  const ended = Promise.withResolvers<void>();
  // The type allows only texts; without an encoding the data are bytes.
  pty.onData((bytes: string | Uint8Array) => {
    inbox.take(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  });
  pty.onExit(() => ended.resolve());
  return {
    write: (text) => pty.write(text),
    onBytes: (listener) => inbox.listen(listener),
    ended: ended.promise,
    close: () => pty.kill("SIGKILL"),
  };
};

/** Opens channels to an echo on a local port: the first bytes come back, as if a program printed them. */
export function rawTcp(port: number): OpenChannel {
  return () => tcpChannel(port, "ready");
}

/** Connects to a local port and writes the first bytes. */
export async function tcpChannel(port: number, first: string): Promise<ByteChannel> {
  const inbox = new Inbox();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.write(first);
  socket.on("data", (bytes: Buffer) => inbox.take(bytes));
  const ended = once(socket, "close");
  return {
    write: (text) => void socket.write(text),
    onBytes: (listener) => inbox.listen(listener),
    ended: ended.then(() => undefined),
    close: () => void socket.destroy(),
  };
}

/** Opens terminals of an agent through its server. An empty command is a shell. */
export function terminalsOf(client: ApiClient, agentId: string): OpenChannel {
  return async (command) => {
    const inbox = new Inbox();
    const query = new URLSearchParams({
      reconnect: randomUUID(),
      command,
      width: "80",
      height: "24",
    });
    const path = `/api/v2/workspaceagents/${agentId}/pty?${query.toString()}`;
    const { headers } = client;
    const socket = new WebSocket(client.serverUrl.replace(/^http/, "ws") + path, { headers });
    const ended = Promise.withResolvers<void>();
    socket.on("close", () => ended.resolve());
    socket.on("message", (bytes: Buffer) => inbox.take(bytes));
    await once(socket, "open");
    return {
      write: (data) => socket.send(Buffer.from(JSON.stringify({ data }))),
      onBytes: (listener) => inbox.listen(listener),
      ended: ended.promise,
      close: () => socket.terminate(),
    };
  };
}

/** Arguments of OpenSSH's programs for a server on a local port. */
export const sshOptions = ["-F", "none"].concat(
  ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"].flatMap(
    (option) => ["-o", option],
  ),
);

/** Opens commands with a terminal over OpenSSH. */
export function sshAt(port: number): OpenChannel {
  return async (command) => {
    const words = [...sshOptions, "-tt", "-p", String(port), "coder@127.0.0.1", command];
    const child = spawnChild("ssh", words, { stdio: ["pipe", "pipe", "ignore"] });
    const inbox = new Inbox();
    child.stdout.on("data", (bytes: Buffer) => inbox.take(bytes));
    child.stdin.on("error", () => undefined);
    const ended = once(child, "close");
    return {
      write: (text) => void child.stdin.write(text),
      onBytes: (listener) => inbox.listen(listener),
      ended: ended.then(() => undefined),
      close: () => void child.kill("SIGKILL"),
    };
  };
}
