import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { Backoff, defaultBackoff } from "@slipway/runtime";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import WebSocket from "ws";

import { connectMember } from "./fleet-member.ts";
import { openDesktop, openQuietAgent } from "./light-members.ts";
import { servePart, wallMs } from "./part.ts";

/* A fleet of idle agents in a separate process. An agent that loses its connection redials with an agent's delays. */

/** The members and the server they connect to. */
export interface FleetOrder {
  /** The kind; `echoes` are bare sockets, one per token. */
  readonly kind: "agents" | "echoes" | "quiet agents" | "desktops";
  readonly url: string;
  readonly tokens: readonly string[];
}

interface Connection {
  /** One metadata call, or its equivalent. */
  readonly call: () => Promise<unknown>;
  readonly closed: Promise<unknown>;
}

const intervalMs = 10_000;
const dialsAtOnce = 32;
/** The longest delay before redialing a server that was just available. */
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

const openers = {
  agents: openAgent,
  echoes: openEcho,
  "quiet agents": openQuietAgent,
  desktops: openDesktop,
} as const;

/** An agent that stays connected for the lifetime of this process. */
class Member {
  readonly #open: () => Promise<Connection>;
  #connection: Connection | undefined;
  #isBack = Promise.withResolvers<void>();
  #isConnected = false;
  #connectedAtMs = Number.NaN;

  constructor(open: () => Promise<Connection>) {
    this.#open = open;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** The time of its last connection, by `wallMs`. */
  get connectedAtMs(): number {
    return this.#connectedAtMs;
  }

  /** Resolves once it is connected again after the next loss. */
  reconnected(): Promise<void> {
    this.#isBack = Promise.withResolvers<void>();
    return this.#isBack.promise;
  }

  /** Resolves once it is connected; a busy server may refuse it at first. */
  async connect(): Promise<void> {
    const backoff = new Backoff({ ...defaultBackoff, maxMs: maxDelayMs });
    for (;;) {
      try {
        this.#connection = await this.#open();
        break;
      } catch {
        // The server is not available, or was only briefly.
        await pause(backoff.next());
      }
    }
    this.#isConnected = true;
    this.#connectedAtMs = wallMs();
    void this.#connection.closed.then(() => this.#reconnect());
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
    this.#isConnected = false;
    await pause(new Backoff().next());
    await this.connect();
    this.#isBack.resolve();
  }
}

let members: readonly Member[] = [];

const answers = {
  /** Connects all members; answers once all are connected. */
  connect: async ({ kind, url, tokens }: FleetOrder): Promise<void> => {
    members = tokens.map((token) => new Member(() => openers[kind](url, token)));
    const waiting = members.values();
    const work = async (): Promise<void> => {
      for (const member of waiting) await member.connect();
    };
    await Promise.all(Array.from({ length: dialsAtOnce }, work));
  },
  /** Sends two metadata items per agent every 10 s; answers with the milliseconds of each call. */
  measure: async (seconds: number): Promise<readonly number[]> => {
    const endsAt = performance.now() + seconds * 1000;
    return (await Promise.all(members.map((member) => member.measure(endsAt)))).flat();
  },
  /** Answers with the number of members that are connected now. */
  connected: (): number => members.filter(({ isConnected }) => isConnected).length,
  /** Answers with the times at which members connected since a time, by `wallMs`. */
  connectedSince: (sinceMs: number): readonly number[] =>
    members.map(({ connectedAtMs }) => connectedAtMs).filter((atMs) => atMs >= sinceMs),
  /** Answers once each member has lost its connection from now on and is connected again. */
  reconnected: async (): Promise<void> => {
    await Promise.all(members.map((member) => member.reconnected()));
  },
};
export type IdleFleet = typeof answers;
servePart(answers);
