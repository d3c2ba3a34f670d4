import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { defaultRelayLimits } from "@slipway/relay";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";

import { defineBenchmark } from "./benchmark.ts";
import { repeat } from "./report.ts";
import { openPart, type Part } from "./support/part.ts";
import { type BenchClient, openRelayClient, writeFor } from "./support/relay-client.ts";
import type { RelayHost } from "./support/relay-host.ts";

/*
 * The relay in its own process: the bytes per second that it delivers from one client to another, in packets of 1,280
 * bytes, alone and next to many idle clients; its memory per idle client, after a collection, and per client that
 * never reads its packets; and, for a client to which several send as much as they can, the throughput of the least
 * successful sender relative to the best, and the share of a slow sender's packets that arrives. The reference copies
 * bytes between two connections without inspecting them. The clients share the machine; dropped packets do not count.
 *
 *   npm run bench:relay [-- --clients=1000] [--runs=5] [--json]
 *
 * Exits with 1 when the relay delivers less than 60 % of the reference, or needs more than 40 KB for an idle client;
 * or, for a client that never reads, more than its queue, a batch in transit and the buffers of its packets.
 */

const leastPart = 0.6;
const mostKilobytes = 40;
const unreadClients = 100;
/** The bytes sent to each client, several times the size of the system's buffers. */
const unreadBytes = 4 * 1024 * 1024;
const mostUnreadKilobytes = 1.25 * (defaultRelayLimits.maxQueuedBytesPerClient / 1024 + 64);

const packetBytes = 1_280;
const packetsPerBlock = 48;
const writeMs = 1_500;
const fastSenders = 4;
/** The packet interval of a slow sender. */
const slowSenderMs = 5;

interface Host {
  readonly port: number;
  readonly kilobytes: () => Promise<number>;
}

export const benchmark = defineBenchmark({
  title: "relay",
  options: { clients: 1_000, runs: 5 },
  measure: async ({ options: { clients, runs }, opened, findings }) => {
    const copier = await openHost(opened, "copier");
    const relay = await openHost(opened, "relay");
    const copied = await repeat(runs, () => measureCopier(copier));
    findings.note("copier", "MB/s", ...copied);
    const alone = await repeat(runs, () => measureRelay(relay));
    findings.note("relay", "MB/s", ...alone);
    using idle = new DisposableStack();
    const kilobytes = await measureMemory(relay, idle, clients);
    const name = `${clients} idle clients`;
    const beside = await repeat(runs, () => measureRelay(relay));
    findings.note(`relay beside ${name}`, "MB/s", ...beside);
    findings.note(`memory for each of ${name}`, "KB", kilobytes);
    const unread = await measureUnread();
    const unreadName = `memory for each of ${unreadClients} clients that never read`;
    findings.note(unreadName, "KB, unread", unread);
    const { least, slow } = await measureFairness(relay);
    findings.note(`least of ${fastSenders} fast senders`, "of the best", least);
    findings.note("slow sender beside them", "arrives", slow);

    const slowest = Math.min(Math.max(...alone), Math.max(...beside));
    findings.require(slowest >= leastPart * Math.max(...copied));
    findings.require(kilobytes <= mostKilobytes && unread <= mostUnreadKilobytes);
  },
});

async function openHost(opened: AsyncDisposableStack, kind: "relay" | "copier"): Promise<Host> {
  const options = { args: [kind], flags: ["--expose-gc"] };
  const part: Part<RelayHost> = openPart(opened, "./relay-host.ts", options);
  return {
    port: await part.call("port"),
    kilobytes: async () => (await part.call("memory")) / 1024,
  };
}

/** Returns the megabytes per second that arrive while a sender writes. */
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

/** Returns the relay's kilobytes per idle client; they stay connected as long as `clients`. */
async function measureMemory(host: Host, clients: DisposableStack, count: number): Promise<number> {
  const add = async (more: number): Promise<void> => {
    for (let made = 0; made < more; made += 1) clients.use(await openRelayClient(host.port));
  };
  await add(100);
  const before = await host.kilobytes();
  await add(count);
  return ((await host.kilobytes()) - before) / count;
}

/**
 * Returns a relay's kilobytes per client that reads nothing, before it disconnects them. The relay is new, so that
 * its memory has not grown yet.
 */
async function measureUnread(): Promise<number> {
  await using opened = new AsyncDisposableStack();
  const host = await openHost(opened, "relay");
  const blocks: Uint8Array[] = [];
  for (let count = 0; count < unreadClients; count += 1) {
    const client = opened.use(await openRelayClient(host.port));
    client.socket.pause();
    blocks.push(blockFor(client));
  }
  const sender = opened.use(await openRelayClient(host.port));
  const before = await host.kilobytes();
  for (let sent = 0; sent < unreadBytes; sent += packetsPerBlock * packetBytes) {
    for (const block of blocks) {
      if (!sender.socket.write(block)) await once(sender.socket, "drain");
    }
  }
  return ((await host.kilobytes()) - before) / unreadClients;
}

function frameFor({ keys }: BenchClient): Uint8Array {
  const packet = new Uint8Array(packetBytes);
  return encodeDerpFrame({ type: "send-packet", destination: keys.publicKey, packet });
}

function blockFor(client: BenchClient): Uint8Array {
  const frame = frameFor(client);
  return joinBytes(Array.from({ length: packetsPerBlock }, () => frame));
}

/**
 * Returns the least successful of equal senders' share of the best's, and the arriving share of a slow one's packets.
 */
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
