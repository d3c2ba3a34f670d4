import { randomFillSync } from "node:crypto";
import { once } from "node:events";

import { type Clock, errorText, type Logger, withTimeout } from "@slipway/runtime";
import {
  encodeSpeedtestAnswer,
  parseSpeedtestRequest,
  speedtestBlockBytes,
  LineCollector,
  SpeedtestError,
} from "@slipway/wire/services/speedtest";
import type { SpeedtestRequest } from "@slipway/wire/services/speedtest";

import type { AcceptedConnection, Service } from "../connections/accepted-connection.ts";
import { ConnectionError, writeTo } from "../connections/write-to.ts";

/** The time for a client to send its request. */
const requestTimeoutMs = 20_000;
/** The maximum number of concurrent tests; more would only measure each other. */
export const maxSpeedtests = 4;
/** An upload may take this many times its requested duration. */
const patience = 4;
/** The time added to that, for a test of no duration. */
const graceMs = 1000;

export interface SpeedtestOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Answers speed tests (docs/protocol/tailnet.md §7.4) until the signal is aborted. */
export function createSpeedtestService({ clock, logger, signal }: SpeedtestOptions): Service {
  let running = 0;
  const run = async (connection: AcceptedConnection): Promise<void> => {
    running += 1;
    try {
      await serveSpeedtest(connection, { isBusy: running > maxSpeedtests, clock, signal });
    } catch (error) {
      logger.debug({ error: errorText(error) }, "speed test ended early");
    } finally {
      running -= 1;
      connection.destroy();
    }
  };
  return {
    accept: (connection) => {
      // The reader or the writer notices a reset.
      connection.on("error", () => undefined);
      void run(connection);
    },
  };
}

interface ServeOptions {
  readonly isBusy: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function serveSpeedtest(
  connection: AcceptedConnection,
  { isBusy, clock, signal }: ServeOptions,
): Promise<void> {
  let request: SpeedtestRequest;
  try {
    request = await readRequest(connection, withTimeout(signal, requestTimeoutMs));
    if (isBusy) throw new SpeedtestError("refused", "too many speed tests are running");
  } catch (error) {
    if (!(error instanceof SpeedtestError)) throw error;
    await finish(connection, encodeSpeedtestAnswer(errorText(error)), signal);
    return;
  }
  await writeTo(connection, encodeSpeedtestAnswer(undefined), signal);
  const limit = withTimeout(signal, patience * request.durationMs + graceMs);
  if (request.direction === "upload") {
    for await (const _ of chunksOf(connection, limit)) {
      // The client measures until we end our side.
    }
    const ended = once(connection, "finish", { signal: limit });
    connection.end();
    await ended;
    return;
  }
  const block = randomFillSync(Buffer.allocUnsafe(speedtestBlockBytes));
  const until = clock.monotonic() + request.durationMs;
  while (clock.monotonic() <= until) await writeTo(connection, block, limit);
  await finish(connection, new Uint8Array(), limit);
}

async function readRequest(
  connection: AcceptedConnection,
  signal: AbortSignal,
): Promise<SpeedtestRequest> {
  const collector = new LineCollector();
  for await (const chunk of chunksOf(connection, signal)) {
    const found = collector.receive(chunk);
    if (found !== undefined) return parseSpeedtestRequest(found.line);
  }
  throw new ConnectionError("the client sent no request");
}

/** Iterates over received chunks, and leaves the connection open. The signal destroys it. */
async function* chunksOf(
  connection: AcceptedConnection,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const onAbort = (): void => void connection.destroy();
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for await (const chunk of connection.iterator({ destroyOnReturn: false })) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    throw new ConnectionError("the connection was cut", { cause: error });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Ends our direction, and waits until the client has read everything. */
async function finish(
  connection: AcceptedConnection,
  last: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  connection.end(last);
  for await (const _ of chunksOf(connection, signal)) {
    // The client sends nothing more.
  }
}
