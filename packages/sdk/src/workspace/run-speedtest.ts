import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import type { Duplex } from "node:stream";

import { abortable, type Clock, withDeadline } from "@slipway/runtime";
import {
  checkSpeedtestAnswer,
  encodeSpeedtestRequest,
  speedtestBlockBytes,
  LineCollector,
  SpeedtestError,
} from "@slipway/wire/services/speedtest";
import type { SpeedtestRequest } from "@slipway/wire/services/speedtest";

/** The bytes of one part of a test. */
export interface SpeedtestInterval {
  /** The start and end, in milliseconds since the test began. */
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
}

export interface SpeedtestOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called with each part as it ends. */
  readonly onInterval: (interval: SpeedtestInterval) => void;
}

/** The shortest part that is measured. */
const intervalMs = 1000;
/** The factor by which a download may exceed the requested time. */
const patience = 4;
/** The time for the answer, and for bytes in flight at the end. */
const graceMs = 20_000;
/** The time for the server to end its side after an upload. */
const closeMs = 5_000;

/**
 * Measures the speed of a connection to port 3 of an agent (docs/protocol/tailnet.md §7.4), which it destroys;
 * resolves with the whole test. Throws `SpeedtestError`, the error of the connection, and the signal's reason.
 */
export async function runSpeedtest(
  connection: Duplex,
  request: SpeedtestRequest,
  { clock, signal, onInterval }: SpeedtestOptions,
): Promise<SpeedtestInterval> {
  const limit = AbortSignal.any([
    signal,
    AbortSignal.timeout(patience * request.durationMs + graceMs),
  ]);
  const cut = (): void => void connection.destroy();
  limit.addEventListener("abort", cut, { once: true });
  connection.on("error", () => undefined);
  try {
    limit.throwIfAborted();
    connection.write(encodeSpeedtestRequest(request));
    const chunks = connection.iterator({ destroyOnReturn: false });
    const meter = new Meter(clock, onInterval);
    meter.add(await readAnswer(chunks));
    switch (request.direction) {
      case "download":
        for await (const chunk of chunks) meter.add(byteLength(chunk));
        break;
      case "upload":
        await upload(connection, request.durationMs, { chunks, meter, clock, signal: limit });
    }
    return meter.end();
  } catch (error) {
    limit.throwIfAborted();
    throw error;
  } finally {
    limit.removeEventListener("abort", cut);
    connection.destroy();
  }
}

/** Reads the server's line; returns the bytes of blocks that came with it. */
async function readAnswer(chunks: AsyncIterator<unknown>): Promise<number> {
  const collector = new LineCollector();
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) {
      throw new SpeedtestError("malformed", "the connection ended before the answer");
    }
    const found = next.value instanceof Uint8Array ? collector.receive(next.value) : undefined;
    if (found === undefined) continue;
    checkSpeedtestAnswer(found.line);
    return found.rest.length;
  }
}

interface UploadNeeds {
  /** The answers of the server, all of which have been read. */
  readonly chunks: AsyncIterator<unknown>;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function upload(
  connection: Duplex,
  durationMs: number,
  { chunks, meter, clock, signal }: UploadNeeds,
): Promise<void> {
  const block = randomFillSync(Buffer.allocUnsafe(speedtestBlockBytes));
  while (meter.elapsedMs <= durationMs) {
    if (!connection.write(block)) await once(connection, "drain", { signal });
    meter.add(block.length);
  }
  connection.end();
  // The server ends its side when it has read everything; a server that does not is left behind after a while.
  const isOver = async (): Promise<void> => {
    while ((await chunks.next()).done !== true);
  };
  await withDeadline(closeMs, clock, (limit) =>
    abortable(isOver(), AbortSignal.any([signal, limit])),
  ).catch(() => signal.throwIfAborted());
}

/** Counts bytes, and reports each interval. */
class Meter {
  readonly #clock: Clock;
  readonly #onInterval: (interval: SpeedtestInterval) => void;
  readonly #startedAt: number;
  #intervalStart = 0;
  #intervalBytes = 0;
  #total = 0;

  constructor(clock: Clock, onInterval: (interval: SpeedtestInterval) => void) {
    this.#clock = clock;
    this.#onInterval = onInterval;
    this.#startedAt = clock.monotonic();
  }

  get elapsedMs(): number {
    return this.#clock.monotonic() - this.#startedAt;
  }

  add(bytes: number): void {
    this.#total += bytes;
    this.#intervalBytes += bytes;
    if (this.elapsedMs - this.#intervalStart >= intervalMs) this.#tell(this.elapsedMs);
  }

  end(): SpeedtestInterval {
    const endMs = this.elapsedMs;
    if (this.#intervalBytes > 0) this.#tell(endMs);
    return { startMs: 0, endMs, bytes: this.#total };
  }

  #tell(endMs: number): void {
    this.#onInterval({ startMs: this.#intervalStart, endMs, bytes: this.#intervalBytes });
    this.#intervalStart = endMs;
    this.#intervalBytes = 0;
  }
}

function byteLength(chunk: unknown): number {
  return chunk instanceof Uint8Array ? chunk.length : 0;
}
