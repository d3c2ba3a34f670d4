import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

import { Agent } from "@slipway/wire";

import { connectMember } from "./fleet-member.ts";

/*
 * A fleet of idle agents in a process of its own: reads {serverUrl, tokens, seconds} from its input, connects them all, says
 * "connected", sends two metadata items each 10 s for so many seconds, and prints the latencies in milliseconds as JSON.
 */

interface Order {
  readonly serverUrl: string;
  readonly tokens: readonly string[];
  readonly seconds: number;
}

const intervalMs = 10_000;
const connectsAtOnce = 32;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the measurement that starts this
const order = JSON.parse(await text(process.stdin)) as Order;
const signal = new AbortController().signal;
const waiting = [...order.tokens];
const members: Awaited<ReturnType<typeof connectMember>>[] = [];
const connect = async (): Promise<void> => {
  for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
    members.push(await connectMember(order.serverUrl, token, signal));
  }
};
await Promise.all(Array.from({ length: connectsAtOnce }, connect));
process.stdout.write("connected\n");

const latencies: number[] = [];
const ends = performance.now() + order.seconds * 1000;
await Promise.all(
  members.map(async (member) => {
    await pause(Math.random() * intervalMs);
    while (performance.now() < ends) {
      const started = performance.now();
      const metadata = ["a", "b"].map((key) => ({ key, result: { value: "1\n" } }));
      await member.unary(Agent.method.batchUpdateMetadata, { metadata }, signal);
      latencies.push(performance.now() - started);
      await pause(intervalMs);
    }
  }),
);
process.stdout.write(`${JSON.stringify(latencies)}\n`);
await Promise.all(members.map((member) => member.close()));
