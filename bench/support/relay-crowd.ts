import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { joinBytes } from "@slipway/wire/bytes/join";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";

import { servePart } from "./part.ts";
import { type BenchClient, openRelayClient } from "./relay-client.ts";

/*
 * A crowd in a separate process for bench/busy-network.ts: relay clients, with keys that no peer has published, that
 * send small packets and pings to each other endlessly, once all are logged in.
 */

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const smallBytes = 20;

const clients: BenchClient[] = [];
for (let index = 0; index < count; index += 1) clients.push(await openRelayClient(port));
const ping = encodeDerpFrame({ type: "ping", data: new Uint8Array(8) });
const packets = clients.map(({ keys }) => {
  const packet = new Uint8Array(smallBytes);
  return encodeDerpFrame({ type: "send-packet", destination: keys.publicKey, packet });
});
const block = joinBytes(packets.flatMap((packet) => [packet, ping]));

const answers = { isLoggedIn: (): boolean => true };
export type RelayCrowd = typeof answers;
servePart(answers);
await Promise.all(clients.map((client) => flood(client)));

async function flood({ socket }: BenchClient): Promise<void> {
  // The relay closes strangers after a while.
  while (!socket.destroyed) {
    if (socket.write(block)) await pause(1);
    else await Promise.race([once(socket, "drain"), once(socket, "close")]);
  }
}
