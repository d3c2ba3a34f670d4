import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { defaultRelayLimits } from "@slipway/relay";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";

import { type Measurement, printReport, repeat } from "./report.ts";
import { type BenchClient, openRelayClient, writeFor } from "./support/relay-client.ts";

/*
 * The relay in a process of its own: the bytes a second that it delivers from one client to another, in packets of 1,280 bytes,
 * alone and beside many idle clients; its memory for each of those, after a collection, and for each of many clients that
 * never read what is sent to them; and for a client to which several send as much as they can, the smallest part of a
 * sender of what the largest one gets through, and the part of a slow sender's packets that arrives. The reference copies
 * bytes between two connections without looking at them. The clients share the machine; what the relay drops does not count.
 *
 *   npm run bench:relay [-- --clients=1000] [--runs=5] [--json]
 *
 * Ends with 1 when the relay delivers less than 60 % of what the reference copies, needs more than 40 KB for an idle client,
 * or for one that never reads more than its queue, a batch on its way and what its packets arrived in.
 */

const leastPart = 0.6;
const mostKilobytes = 40;
const unreadClients = 100;
/** The bytes that are sent to each, several times as many as the buffers of the system take. */
const unreadBytes = 4 * 1024 * 1024;
const mostUnreadKilobytes = 1.25 * (defaultRelayLimits.maxQueuedBytesPerClient / 1024 + 64);

const packetBytes = 1_280;
const packetsPerBlock = 48;
const writeMs = 1_500;
const fastSenders = 4;
/** The interval of the packets of a slow sender. */
const slowSenderMs = 5;

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const clientCount = option("clients", 1_000);
const runs = option("runs", 5);

interface Host extends Disposable {
  readonly port: number;
  readonly process: ChildProcess;
}

async function openHost(kind: "relay" | "copier"): Promise<Host> {
  const file = new URL("support/relay-host.ts", import.meta.url);
  const execArgv = ["--conditions=@slipway/source", "--expose-gc"];
  const child = fork(file, [kind], { execArgv });
  const [port] = await once(child, "message");
  return { port: Number(port), process: child, [Symbol.dispose]: () => void child.kill() };
}

/** Returns the megabytes a second that arrive while a sender writes. */
async function throughput(
  sender: Socket,
  block: Uint8Array,
  receivedBytes: () => number,
): Promise<number> {
  const before = receivedBytes();
  const started = performance.now();
  await writeFor(sender, block, writeMs);
  const seconds = (performance.now() - started) / 1_000;
  return (receivedBytes() - before) / seconds / 1e6;
}

async function measureCopier({ port }: Host): Promise<number> {
  const [sender, receiver] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  let received = 0;
  receiver.on("data", (chunk: Buffer) => (received += chunk.length));
  await Promise.all([once(sender, "connect"), once(receiver, "connect")]);
  const block = new Uint8Array(packetBytes * packetsPerBlock);
  const found = await throughput(sender, block, () => received);
  for (const socket of [sender, receiver]) socket.destroy();
  return found;
}

async function measureRelay({ port }: Host): Promise<number> {
  using sender = await openRelayClient(port);
  using receiver = await openRelayClient(port);
  return await throughput(sender.socket, blockFor(receiver), receiver.receivedBytes);
}

/** Returns the kilobytes of the relay for each idle client; they stay connected as long as `clients`. */
async function measureMemory(host: Host, clients: DisposableStack): Promise<number> {
  for (let count = 0; count < 100; count += 1) clients.use(await openRelayClient(host.port));
  const before = await kilobytesOf(host);
  for (let count = 0; count < clientCount; count += 1) {
    clients.use(await openRelayClient(host.port));
  }
  return ((await kilobytesOf(host)) - before) / clientCount;
}

/**
 * Returns the kilobytes of a relay for each client that reads nothing, before it disconnects them. The relay is a new one,
 * whose memory has not grown yet.
 */
async function measureUnread(): Promise<number> {
  using host = await openHost("relay");
  using clients = new DisposableStack();
  const blocks: Uint8Array[] = [];
  for (let count = 0; count < unreadClients; count += 1) {
    const client = clients.use(await openRelayClient(host.port));
    client.socket.pause();
    blocks.push(blockFor(client));
  }
  using sender = await openRelayClient(host.port);
  const before = await kilobytesOf(host);
  for (let sent = 0; sent < unreadBytes; sent += packetsPerBlock * packetBytes) {
    for (const block of blocks) {
      if (!sender.socket.write(block)) await once(sender.socket, "drain");
    }
  }
  return ((await kilobytesOf(host)) - before) / unreadClients;
}

function frameFor({ keys }: BenchClient): Uint8Array {
  const packet = new Uint8Array(packetBytes);
  return encodeDerpFrame({ type: "send-packet", destination: keys.publicKey, packet });
}

function blockFor(client: BenchClient): Uint8Array {
  const frame = frameFor(client);
  return joinBytes(Array.from({ length: packetsPerBlock }, () => frame));
}

/** Returns the part that the least successful of equal senders has of the best, and that of a slow one which arrives. */
async function measureFairness({ port }: Host): Promise<{ least: number; slow: number }> {
  using receiver = await openRelayClient(port, { countsSenders: true });
  using slow = await openRelayClient(port);
  using senders = new DisposableStack();
  const fast = [];
  for (let count = 0; count < fastSenders; count += 1) {
    fast.push(senders.use(await openRelayClient(port)));
  }
  const frame = frameFor(receiver);
  const block = blockFor(receiver);
  let sent = 0;
  const slowly = setInterval(() => {
    sent += packetBytes;
    slow.socket.write(frame);
  }, slowSenderMs);
  await Promise.all(fast.map(({ socket }) => writeFor(socket, block, writeMs)));
  clearInterval(slowly);
  const bytesOf = (client: BenchClient): number =>
    receiver.bySender.get(encodeHex(client.keys.publicKey)) ?? 0;
  const shares = fast.map(bytesOf);
  return { least: Math.min(...shares) / Math.max(...shares), slow: bytesOf(slow) / sent };
}

async function kilobytesOf({ process: child }: Host): Promise<number> {
  child.send("memory");
  const [bytes] = await once(child, "message");
  return Number(bytes) / 1024;
}

const measurements: Measurement[] = [];
using copier = await openHost("copier");
using relay = await openHost("relay");
measurements.push(
  { name: "copier", unit: "MB/s", runs: await repeat(runs, () => measureCopier(copier)) },
  { name: "relay", unit: "MB/s", runs: await repeat(runs, () => measureRelay(relay)) },
);
using idle = new DisposableStack();
const kilobytes = await measureMemory(relay, idle);
const name = `${clientCount} idle clients`;
measurements.push(
  {
    name: `relay beside ${name}`,
    unit: "MB/s",
    runs: await repeat(runs, () => measureRelay(relay)),
  },
  { name: `memory for each of ${name}`, unit: "KB", runs: [kilobytes] },
);
const unreadKilobytes = await measureUnread();
measurements.push({
  name: `memory for each of ${unreadClients} clients that never read`,
  unit: "KB, unread",
  runs: [unreadKilobytes],
});
const fairness = await measureFairness(relay);
measurements.push(
  { name: `least of ${fastSenders} fast senders`, unit: "of the best", runs: [fairness.least] },
  { name: "slow sender beside them", unit: "arrives", runs: [fairness.slow] },
);
printReport("relay", measurements);
const [copied = 0, alone = 0, besideIdle = 0] = measurements.map(({ runs: found }) =>
  Math.max(...found),
);
const isSlow = Math.min(alone, besideIdle) < leastPart * copied;
if (isSlow || kilobytes > mostKilobytes || unreadKilobytes > mostUnreadKilobytes) {
  process.exitCode = 1;
}
