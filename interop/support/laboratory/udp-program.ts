import { randomBytes } from "node:crypto";
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { answerCalls, internetAddresses } from "@slipway/testkit/netlab";
import { encodeBindingRequest, isStun, parseStunMessage } from "@slipway/wire/stun/message";

import { ports } from "./ports.ts";
import type { Echoes, PingPlan, UdpCalls } from "./udp-host.ts";

/* One UDP socket on a host, for `openUdpHost`. */

const answerWithinMs = 500;
const punchEveryMs = 25;
const punches = 40;
const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
socket.on("error", () => undefined);
socket.bind(0);
await once(socket, "listening");

const calls: UdpCalls = {
  mapped: () => Promise.all(internetAddresses.map(findMapped)),
  echoes,
  ping,
  punch,
};
answerCalls(socket.address().port, calls);

/** Resolves to the address that a STUN server sees; null if it does not answer. */
async function findMapped(server: string): Promise<string | null> {
  const id = randomBytes(12);
  const found = new Promise<string>((resolve) => {
    socket.on("message", (datagram) => {
      if (!isStun(datagram)) return;
      const message = parseStunMessage(datagram);
      if (message?.type !== "binding-response" || message.mapped === undefined) return;
      const { address, port } = message.mapped;
      if (id.equals(message.transactionId)) resolve(`${address.join(".")}:${String(port)}`);
    });
  });
  socket.send(encodeBindingRequest(id, "laboratory"), ports.stun, server);
  return Promise.race([found, pause(answerWithinMs, null)]);
}

async function echoes(text: string): Promise<boolean> {
  const came = once(socket, "message").then(([datagram]) => String(datagram) === text);
  socket.send(text, ports.echo, internetAddresses[0]);
  return Promise.race([came, pause(answerWithinMs, false)]);
}

/** Sends datagrams to the echo at intervals of a millisecond or more, and measures when they come back. */
async function ping({ count, perMs, patienceMs }: PingPlan): Promise<Echoes> {
  const sentAt: number[] = [];
  const roundTrips: number[] = [];
  const token = randomBytes(8);
  const take = (datagram: Buffer): void => {
    if (!datagram.subarray(0, 8).equals(token)) return;
    roundTrips.push(performance.now() - (sentAt[datagram.readUInt32BE(8)] ?? 0));
  };
  socket.on("message", take);
  while (sentAt.length < count) {
    // A delay on a busy machine is not made up for: queues would drop the burst.
    for (let turn = 0; turn < perMs; turn += 1) {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(sentAt.length);
      sentAt.push(performance.now());
      socket.send([token, number], ports.echo, internetAddresses[0]);
    }
    await pause(1);
  }
  for (let waited = 0; roundTrips.length < count && waited < patienceMs; waited += 10) {
    await pause(10);
  }
  socket.off("message", take);
  return { received: roundTrips.length, leastMs: Math.min(...roundTrips) };
}

/** Sends to a peer, and to the addresses from which anything has arrived. */
async function punch(to: string): Promise<boolean> {
  const targets = new Set([to]);
  let hasCome = false;
  const take = (datagram: Buffer, { address, port }: RemoteInfo): void => {
    if (isStun(datagram)) return;
    hasCome = true;
    targets.add(`${address}:${String(port)}`);
  };
  socket.on("message", take);
  for (let sent = 0; sent < punches; sent += 1) {
    for (const target of targets) {
      const [address = "", port = ""] = target.split(":");
      socket.send("hello", Number(port), address);
    }
    await pause(punchEveryMs);
  }
  socket.off("message", take);
  return hasCome;
}
