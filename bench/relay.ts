import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { encodeDerpFrame, joinBytes } from "@slipway/wire";

import { type Measurement, printReport, repeat } from "./report.ts";
import { openRelayClient, writeFor } from "./support/relay-client.ts";

/*
 * The relay in a process of its own: the bytes a second that it delivers from one client to another, in packets of 1,280 bytes,
 * and its memory for each client that is only logged in, after a collection. The reference copies bytes
 * between two connections without looking at them. The clients share the machine; what the relay drops does not count.
 *
 *   npm run bench:relay [-- --clients=1000] [--runs=5] [--json]
 */

const packetBytes = 1_280;
const packetsPerBlock = 48;
const writeMs = 1_500;

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
  const packet = new Uint8Array(packetBytes);
  const destination = receiver.keys.publicKey;
  const frame = encodeDerpFrame({ type: "send-packet", destination, packet });
  const block = joinBytes(Array.from({ length: packetsPerBlock }, () => frame));
  return await throughput(sender.socket, block, receiver.receivedBytes);
}

/** Returns the kilobytes of the relay for each idle client. */
async function measureMemory(): Promise<number> {
  using host = await openHost("relay");
  using first = new DisposableStack();
  for (let count = 0; count < 100; count += 1) first.use(await openRelayClient(host.port));
  const before = await memoryOf(host);
  for (let count = 0; count < clientCount; count += 1) first.use(await openRelayClient(host.port));
  return (await memoryOf(host)) - before;
}

async function memoryOf({ process: child }: Host): Promise<number> {
  child.send("memory");
  const [bytes] = await once(child, "message");
  return Number(bytes) / 1024 / clientCount;
}

const measurements: Measurement[] = [];
using copier = await openHost("copier");
using relay = await openHost("relay");
measurements.push(
  { name: "copier", unit: "MB/s", runs: await repeat(runs, () => measureCopier(copier)) },
  { name: "relay", unit: "MB/s", runs: await repeat(runs, () => measureRelay(relay)) },
);
measurements.push({
  name: `memory for each of ${clientCount} idle clients`,
  unit: "KB",
  runs: await repeat(1, measureMemory),
});
printReport("relay", measurements);
