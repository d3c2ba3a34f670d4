import { join } from "node:path";
import type { Duplex } from "node:stream";

import type { Clock } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";
import type { NetworkStatus, Pong } from "@slipway/sdk/workspace";

/** The number of bytes transferred over a connection. */
export interface Traffic {
  sent: number;
  received: number;
}

/** The measured part of a connection to a workspace. */
export interface MeasuredConnection {
  readonly status: Pick<NetworkStatus, "homeRegionId" | "latencies"> & {
    readonly map: { readonly regions: ReadonlyMap<number, { readonly name: string }> };
  };
  ping(signal: AbortSignal): Promise<Pong>;
}

export interface NetworkInfoOptions {
  /** The directory in which editors look. */
  readonly directory: string;
  /** The process that editors know: the `ssh` that started this one. */
  readonly processId: number;
  readonly intervalMs: number;
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Counts the bytes of a stream from now on, for all its readers and writers. */
export function countTraffic(stream: Duplex, traffic: Traffic): void {
  const count = (method: "push" | "write", name: keyof Traffic): void => {
    const original: unknown = Reflect.get(stream, method);
    if (typeof original !== "function") throw new TypeError(`a stream has no ${method}`);
    Reflect.set(stream, method, (chunk: unknown, ...rest: readonly unknown[]): unknown => {
      if (chunk instanceof Uint8Array) traffic[name] += chunk.length;
      return Reflect.apply(original, stream, [chunk, ...rest]);
    });
  };
  count("push", "received");
  count("write", "sent");
}

/** The minimum interval: each update sends a ping to the agent. */
const minIntervalMs = 500;
/** The timeout for an answer of the agent. */
const pingLimitMs = 5_000;
const directoryMode = 0o700;
const fileMode = 0o600;

/**
 * Writes the state of a connection into a file that editors show, `<process id>.json`, now and at every interval until the
 * signal is aborted (docs/protocol/clients.md §3.1). Rejects if the file cannot be written.
 */
export async function writeNetworkInfo(
  connection: MeasuredConnection,
  options: NetworkInfoOptions,
): Promise<void> {
  const { directory, processId, intervalMs, traffic, clock, signal } = options;
  await makeDirectories(directory, directoryMode);
  const path = join(directory, `${processId}.json`);
  let before = { ...traffic, atMs: clock.monotonic() };
  while (!signal.aborted) {
    const pong = await pingOrNone(connection, signal);
    const now = { ...traffic, atMs: clock.monotonic() };
    const rate = (name: keyof Traffic): number =>
      Math.round(((now[name] - before[name]) * 1000) / Math.max(1, now.atMs - before.atMs));
    if (pong !== undefined) {
      const info = {
        ...stateOf(connection.status, pong),
        upload_bytes_sec: rate("sent"),
        download_bytes_sec: rate("received"),
      };
      await replaceFile(path, JSON.stringify(info), { mode: fileMode });
    }
    before = now;
    await clock.sleep(Math.max(minIntervalMs, intervalMs), signal).catch(() => undefined);
  }
}

async function pingOrNone(
  connection: MeasuredConnection,
  signal: AbortSignal,
): Promise<Pong | undefined> {
  try {
    return await connection.ping(AbortSignal.any([signal, AbortSignal.timeout(pingLimitMs)]));
  } catch {
    // The file keeps the last answer: the connection itself reports the problem.
    return undefined;
  }
}

function stateOf(
  { homeRegionId, latencies, map }: MeasuredConnection["status"],
  pong: Pong,
): object {
  const nameOf = (id: number): string => map.regions.get(id)?.name ?? `region ${id}`;
  return {
    p2p: pong.path.kind === "direct",
    latency: pong.latencyMs,
    preferred_derp: homeRegionId === undefined ? "" : nameOf(homeRegionId),
    derp_latency: Object.fromEntries(
      [...latencies].map(([id, { latencyMs }]) => [nameOf(id), latencyMs]),
    ),
    using_coder_connect: false,
  };
}
