import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

import { type ByteChannel, openRawPty } from "./byte-channel.ts";
import { listen } from "./listen.ts";
import { servePart } from "./part.ts";

/*
 * A process of the bare chain: `near` carries TCP connections over UDP to the port in its argument, `far` has a
 * terminal for each. A datagram is the connection's number followed by data; the first data is the command.
 */

const numberBytes = 4;

function datagramOf(number: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(numberBytes);
  header.writeUInt32LE(number);
  return Buffer.concat([header, bytes]);
}

async function openUdp() {
  // Addresses need no resolver, as in our own socket.
  const socket = createSocket({
    type: "udp4",
    lookup: (address, _, callback) => callback(null, address, 4),
  });
  const listening = once(socket, "listening");
  socket.bind(0, "127.0.0.1");
  await listening;
  return socket;
}

async function runFar(): Promise<number> {
  const udp = await openUdp();
  const terminals = new Map<number, ByteChannel>();
  udp.on("message", (datagram, { port, address }) => {
    const number = datagram.readUInt32LE();
    const text = datagram.toString("utf8", numberBytes);
    const terminal = terminals.get(number);
    if (terminal !== undefined) return text === "" ? terminal.close() : terminal.write(text);
    if (text === "") return undefined;
    return void openRawPty(text).then((opened) => {
      terminals.set(number, opened);
      opened.onBytes((bytes) => udp.send(datagramOf(number, bytes), port, address));
    });
  });
  return udp.address().port;
}

async function runNear(farPort: number): Promise<number> {
  const udp = await openUdp();
  const sockets = new Map<number, Socket>();
  let opened = 0;
  udp.on("message", (datagram) => {
    sockets.get(datagram.readUInt32LE())?.write(datagram.subarray(numberBytes));
  });
  const server = createServer({ noDelay: true }, (socket) => {
    opened += 1;
    const number = opened;
    const send = (bytes: Uint8Array): void =>
      udp.send(datagramOf(number, bytes), farPort, "127.0.0.1");
    sockets.set(number, socket);
    socket.on("data", send);
    socket.on("error", () => undefined);
    // The terminal would stay open otherwise.
    socket.on("close", () => {
      sockets.delete(number);
      send(Buffer.alloc(0));
    });
  });
  return listen(server);
}

const [, , role, farPort] = process.argv;
const port = role === "far" ? await runFar() : await runNear(Number(farPort));

const answers = { port: (): number => port };
export type BareChainLink = typeof answers;
servePart(answers);
