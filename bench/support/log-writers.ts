import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import type { AgentConnection } from "@slipway/sdk/agent";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Agent, Log_Level } from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

import { connectMember } from "./fleet-member.ts";
import { servePart } from "./part.ts";

/*
 * Agents in a separate process, connected by the product's own client, that each write numbered lines at a steady rate,
 * and send again what was not acknowledged when they lost their connection.
 */

const linesPerBatch = 10;
/** The batches of all writers together. */
const batchesPerSecond = 50;
const redialMs = 500;
const signal = new AbortController().signal;

/** Returns the text of the `number`th line of an agent, counted from 1. */
function lineOf(number: number): string {
  return `line ${number}`;
}

class Writer {
  readonly #url: string;
  readonly #token: string;
  readonly #everyMs: number;
  readonly #source = encodeUuid(randomUUID());
  #acknowledged = 0;

  constructor(url: string, token: string, everyMs: number) {
    this.#url = url;
    this.#token = token;
    this.#everyMs = everyMs;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  async write(): Promise<never> {
    await pause(Math.random() * this.#everyMs);
    for (;;) {
      try {
        const connection = await connectMember(this.#url, this.#token, signal);
        for (;;) await this.#send(connection);
      } catch {
        await pause(redialMs * (1 + Math.random()));
      }
    }
  }

  async #send(connection: AgentConnection): Promise<void> {
    const numbers = Array.from(
      { length: linesPerBatch },
      (_, index) => this.#acknowledged + 1 + index,
    );
    const createdAt = timestampFromMs(Date.now());
    await connection.unary(
      Agent.method.batchCreateLogs,
      {
        logSourceId: this.#source,
        logs: numbers.map((number) => ({
          createdAt,
          output: lineOf(number),
          level: Log_Level.INFO,
        })),
      },
      signal,
    );
    this.#acknowledged += linesPerBatch;
    await pause(this.#everyMs);
  }
}

interface WritersOrder {
  readonly url: string;
  readonly tokens: readonly string[];
}

let writers: readonly Writer[] = [];

const answers = {
  begin: ({ url, tokens }: WritersOrder): void => {
    const everyMs = (1_000 * tokens.length) / batchesPerSecond;
    writers = tokens.map((token) => new Writer(url, token, everyMs));
    for (const writer of writers) void writer.write();
  },
  /** Answers with the number of lines of each agent that were acknowledged, in the order of the tokens. */
  acknowledged: (): readonly number[] => writers.map(({ acknowledged }) => acknowledged),
};
export type LogWriters = typeof answers;
servePart(answers);
