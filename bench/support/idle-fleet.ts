import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

import { Backoff, defaultBackoff } from "@slipway/runtime";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import WebSocket from "ws";

import { connectMember } from "./fleet-member.ts";
import type { FleetOrder } from "./open-idle-fleet.ts";

/*
 * A fleet of idle agents in a process of its own, so that it bears their cost alone. Its input is a line of JSON, the
 * `FleetOrder`; each line after that is a command, answered with a line of JSON:
 *
 *   connect      connects all; null when all are
 *   measure      two metadata items of each agent each 10 s, for the order's seconds; how long the calls took, in ms
 *   reconnected  null when each has lost its connection once and is connected again
 *
 * The end of its input ends it. An agent that loses its connection redials, with the delays of an agent.
 */

interface Connection {
  /** One metadata call, or its equivalent. */
  readonly call: () => Promise<unknown>;
  readonly closed: Promise<unknown>;
}

const intervalMs = 10_000;
const dialsAtOnce = 32;
/** The longest interval at which a server that was just there is looked for. */
const maxDelayMs = 2_000;
const signal = new AbortController().signal;

async function openAgent(serverUrl: string, token: string): Promise<Connection> {
  const connection = await connectMember(serverUrl, token, signal);
  return {
    closed: connection.closed,
    call: () => {
      const metadata = ["a", "b"].map((key) => ({ key, result: { value: "1\n" } }));
      return connection.unary(Agent.method.batchUpdateMetadata, { metadata }, signal);
    },
  };
}

/** Opens a socket of the bare server, which echoes every message. */
async function openEcho(url: string): Promise<Connection> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  const message = Buffer.alloc(128);
  return {
    closed: once(socket, "close"),
    call: async () => {
      const answered = once(socket, "message");
      socket.send(message);
      await answered;
    },
  };
}

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `openIdleFleet`
const order = JSON.parse(String((await lines.next()).value)) as FleetOrder;

/** One agent, connected for as long as this process lives. */
class Member {
  readonly #token: string;
  #connection: Connection | undefined;
  readonly #isBack = Promise.withResolvers<void>();

  constructor(token: string) {
    this.#token = token;
  }

  get isBack(): Promise<void> {
    return this.#isBack.promise;
  }

  async connect(): Promise<void> {
    const open = order.kind === "agents" ? openAgent : openEcho;
    const connection = await open(order.url, this.#token);
    this.#connection = connection;
    void connection.closed.then(() => this.#reconnect());
  }

  async measure(endsAt: number): Promise<readonly number[]> {
    const latencies: number[] = [];
    await pause(Math.random() * intervalMs);
    while (performance.now() < endsAt) {
      const started = performance.now();
      await this.#connection?.call();
      latencies.push(performance.now() - started);
      await pause(intervalMs);
    }
    return latencies;
  }

  async #reconnect(): Promise<void> {
    const backoff = new Backoff({ ...defaultBackoff, maxMs: maxDelayMs });
    for (;;) {
      await pause(backoff.next());
      try {
        await this.connect();
        break;
      } catch {
        // The server is not back yet, or was so only for a moment.
      }
    }
    this.#isBack.resolve();
  }
}

const members = order.tokens.map((token) => new Member(token));

async function connectAll(): Promise<null> {
  const waiting = members.values();
  const work = async (): Promise<void> => {
    for (const member of waiting) await member.connect();
  };
  await Promise.all(Array.from({ length: dialsAtOnce }, work));
  return null;
}

async function answer(command: string): Promise<unknown> {
  if (command === "connect") return connectAll();
  if (command === "measure") {
    const endsAt = performance.now() + order.seconds * 1000;
    return (await Promise.all(members.map((member) => member.measure(endsAt)))).flat();
  }
  await Promise.all(members.map(({ isBack }) => isBack));
  return null;
}

for await (const command of lines) {
  process.stdout.write(`${JSON.stringify(await answer(command))}\n`);
}
process.exitCode = 0;
// Its sockets and loops would keep it alive.
process.kill(process.pid, "SIGKILL");
