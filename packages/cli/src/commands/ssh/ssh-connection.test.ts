import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

import ssh2, { type Connection } from "ssh2";
import { expect, it, onTestFinished } from "vitest";

import { SshConnection } from "./ssh-connection.ts";

const never = new AbortController().signal;
const options = { username: "coder", agent: undefined };
const request = { command: "true", pty: undefined, environment: {} };

/** Connects to an SSH server that serves one client. */
async function dialServer(serve: (client: Connection, socket: Socket) => void): Promise<Socket> {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const listener = createServer((socket) => {
    const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
      client.on("error", () => undefined);
      serve(client, socket);
    });
    server.injectSocket(socket);
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new TypeError("it has no port");
  const socket = connect({ port: address.port, host: "127.0.0.1", noDelay: true });
  onTestFinished(() => {
    socket.destroy();
    listener.close();
  });
  await once(socket, "connect");
  return socket;
}

it("logs in and opens a session without waiting for the answers", async () => {
  const stream = await dialServer((client, socket) => {
    // Answers after the key exchange are held until the session is opened.
    client.on("handshake", () => socket.cork());
    client.on("authentication", (context) => context.accept());
    client.on("session", (accept) => {
      const session = accept();
      session.on("exec", (acceptCommand) => {
        const channel = acceptCommand();
        channel.exit(7);
        channel.end();
      });
      socket.uncork();
    });
  });
  await using connection = await SshConnection.open(stream, options, never);
  const { channel, ended } = await connection.start(request, never);
  channel.resume();
  expect(await ended).toEqual({ kind: "code", code: 7 });
});

it("reports a server that requires more than the network has proven", async () => {
  const stream = await dialServer((client) => {
    client.on("authentication", (context) => context.reject(["publickey"]));
  });
  await using connection = await SshConnection.open(stream, options, never);
  await expect(connection.start(request, never)).rejects.toThrow(
    "the agent's SSH server refused the connection",
  );
});
