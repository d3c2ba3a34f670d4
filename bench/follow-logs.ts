import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Log_Level } from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import WebSocket from "ws";

import { defineBenchmark } from "./benchmark.ts";
import type { BareServer } from "./support/bare-server.ts";
import { type BenchServer, openBenchServers } from "./support/bench-servers.ts";
import type { FleetAgent } from "./support/external-fleet.ts";
import { connectMember } from "./support/fleet-member.ts";
import { openPart } from "./support/part.ts";

/*
 * The time that a line takes from the agent that sends it by RPC to a client that follows the log by WebSocket. One
 * agent with one follower sends 20 lines per second; 100 agents with one follower each send 1 line per second each.
 * The reference is `ws` alone, which sends the line back: as many sockets, at the same rate.
 *
 *   npm run bench:follow-logs [-- --json]
 *
 * A stock server takes part when the environment names one; see support/stock-server.ts.
 */

const shapes = [
  { agents: 1, intervalMs: 50 },
  { agents: 100, intervalMs: 1000 },
] as const;
const seconds = 10;

const signal = new AbortController().signal;
const sourceId = encodeUuid(randomUUID());

export const benchmark = defineBenchmark({
  title: "From an agent's line to its follower, by agents",
  measure: async ({ opened, findings }) => {
    const bare = openPart<BareServer>(opened, "./bare-server.ts");
    const echoUrl = `ws://127.0.0.1:${await bare.call("port")}/`;
    const servers = await openBenchServers(opened);
    for (const { agents: count, intervalMs } of shapes) {
      const measure = async (name: string, ways: readonly Promise<Way>[]): Promise<void> => {
        const times = await latencies(await Promise.all(ways), intervalMs);
        findings.noteTimes(`${name}, ${count}`, times, ["ms", "ms"]);
      };
      await measure(
        "bare echo",
        Array.from({ length: count }, () => openEchoWay(echoUrl)),
      );
      for (const server of servers) {
        const agents = await server.makeAgents(count);
        await measure(
          server.name,
          agents.map((agent) => openLogWay(server, agent)),
        );
      }
    }
  },
});

/** A path from a sender to a receiver: sends a text, and reports each text that arrives. */
interface Way {
  readonly send: (text: string) => Promise<unknown>;
  readonly onArrival: (listener: (text: string) => void) => void;
  readonly close: () => Promise<unknown>;
}

async function openLogWay({ client }: BenchServer, { id, token }: FleetAgent): Promise<Way> {
  const member = await connectMember(client.serverUrl, token, signal);
  const url = `${client.serverUrl}/api/v2/workspaceagents/${id}/logs?follow&after=0&no_compression`;
  const socket = await openSocket(url.replace("http", "ws"), client.headers);
  return {
    send: (output) => {
      const log = { createdAt: timestampFromMs(Date.now()), output, level: Log_Level.INFO };
      const request = { logSourceId: sourceId, logs: [log] };
      return member.unary(Agent.method.batchCreateLogs, request, signal);
    },
    onArrival: (listener) =>
      socket.on("message", (data) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- taken as the server's contract says
        const logs = JSON.parse(textOf(data)) as readonly { readonly output: string }[];
        for (const { output } of logs) listener(output);
      }),
    close: async () => {
      await closeSocket(socket);
      await member.close();
    },
  };
}

async function openEchoWay(url: string): Promise<Way> {
  const socket = await openSocket(url, {});
  return {
    send: async (text) => socket.send(text),
    onArrival: (listener) => socket.on("message", (data) => listener(textOf(data))),
    close: () => closeSocket(socket),
  };
}

async function openSocket(url: string, headers: Readonly<Record<string, string>>) {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  await once(socket, "open");
  return socket;
}

async function closeSocket(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close");
  socket.close(1000);
  await closed;
}

function textOf(data: WebSocket.RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : "";
}

/** Sends on all paths, spread over the interval; resolves to the latency of each line, in milliseconds. */
async function latencies(ways: readonly Way[], intervalMs: number): Promise<readonly number[]> {
  const found: number[] = [];
  const sentAt = new Map<string, number>();
  for (const way of ways) {
    way.onArrival((text) => {
      const sent = sentAt.get(text);
      if (sent !== undefined) found.push(performance.now() - sent);
      sentAt.delete(text);
    });
  }
  await pause(500);
  const ends = performance.now() + seconds * 1000;
  await Promise.all(
    ways.map(async (way, index) => {
      await pause((intervalMs * index) / ways.length);
      for (let line = 0; performance.now() < ends; line += 1) {
        const text = `line ${line} of agent ${index}`;
        sentAt.set(text, performance.now());
        await way.send(text);
        await pause(intervalMs);
      }
    }),
  );
  await pause(500);
  if (sentAt.size > 0) throw new Error(`${sentAt.size} lines did not arrive`);
  await Promise.all(ways.map((way) => way.close()));
  return found;
}
