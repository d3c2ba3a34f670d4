import { Backoff, type Clock, type JsonObject, objectOf, spread, textOf } from "@slipway/runtime";

import { jsonLines } from "../docker/engine-streams.ts";
import { ClusterError } from "../errors.ts";
import { type ClusterConnection, isExpired, isTransient } from "./cluster-connection.ts";
import { listObjects } from "./cluster-objects.ts";

/** The objects of a list that changes. */
export interface ObjectSelection {
  /** The path of the list: `/api/v1/namespaces/dev/pods`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export type ObjectEvent =
  /** All objects there are, first and whenever changes may have been missed. */
  | { readonly kind: "listed"; readonly objects: readonly JsonObject[] }
  | { readonly kind: "changed"; readonly object: JsonObject }
  | { readonly kind: "removed"; readonly object: JsonObject };

export interface WatchOptions {
  readonly clock: Clock;
  /** The time for which the API server may be away before the watch fails, in milliseconds. */
  readonly patienceMs: number;
  /** The time without a byte after which a watch counts as dead, in milliseconds (default: 90 s). */
  readonly silenceMs?: number;
}

/** API servers send a bookmark about each minute. */
const defaultSilenceMs = 90_000;

/** The time after which the API server ends a watch, so that long-lived ones spread over its replicas. */
const watchSeconds = 300;

/** The size limit of an object in a watch; etcd's is 1.5 MiB. */
const maxObjectBytes = 4 * 1024 * 1024;

const backoff = { firstMs: 200, maxMs: 5_000, factor: 2, jitter: 0.5 };

/**
 * Reports the objects of a selection and their changes until the signal is aborted, with which it rejects. Goes on after
 * each end of a watch from the last known version, and lists again when the API server no longer has that. Rejects with
 * `unavailable` when the server is away for longer than `patienceMs`, and with `ClusterError` when it refuses.
 */
export async function watchObjects(
  connection: ClusterConnection,
  selection: ObjectSelection,
  report: (event: ObjectEvent) => void,
  { clock, patienceMs, silenceMs = defaultSilenceMs }: WatchOptions,
  signal: AbortSignal,
): Promise<never> {
  const delays = new Backoff(backoff);
  let version = "";
  let failedSince: number | undefined;
  for (;;) {
    try {
      if (version === "") {
        const list = await listObjects(connection, selection, signal);
        report({ kind: "listed", objects: list.objects });
        version = list.version;
        failedSince = undefined;
      }
      const events = await openWatch(connection, { selection, version, silenceMs }, signal);
      // The server is there, even if nothing happens for longer than proxies keep a connection.
      failedSince = undefined;
      for await (const event of events) {
        delays.reset();
        version = textOf(objectOf(event.object["metadata"])["resourceVersion"]) || version;
        if (event.type === "DELETED") report({ kind: "removed", object: event.object });
        else if (event.type !== "BOOKMARK") report({ kind: "changed", object: event.object });
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isExpired(error)) version = "";
      else if (!isTransient(error)) throw error;
      failedSince ??= clock.now();
      if (clock.now() - failedSince > patienceMs) throw error;
    }
    await clock.sleep(delays.next(), signal);
  }
}

interface OpenedWatch {
  readonly selection: ObjectSelection;
  readonly version: string;
  readonly silenceMs: number;
}

interface WatchEvent {
  readonly type: string;
  readonly object: JsonObject;
}

/** Resolves to the events of a watch once the API server has accepted it. */
async function openWatch(
  connection: ClusterConnection,
  { selection, version, silenceMs }: OpenedWatch,
  signal: AbortSignal,
): Promise<AsyncGenerator<WatchEvent>> {
  const { path, labelSelector, fieldSelector } = selection;
  const request = { method: "GET", path, signal } as const;
  const query = {
    watch: "1",
    allowWatchBookmarks: "true",
    resourceVersion: version,
    timeoutSeconds: String(Math.round(spread(watchSeconds))),
    labelSelector,
    fieldSelector,
  };
  const body = await connection.open({ ...request, query }, silenceMs);
  return readEvents(body, (error) => connection.failure(request, error));
}

async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  failure: (error: unknown) => unknown,
): AsyncGenerator<WatchEvent> {
  try {
    for await (const line of jsonLines(body, maxObjectBytes)) {
      const { type, object: value } = objectOf(line);
      const object = objectOf(value);
      if (type === "ERROR") {
        throw new ClusterError(
          Number(object["code"]),
          textOf(object["reason"]),
          textOf(object["message"]),
        );
      }
      yield { type: textOf(type), object };
    }
  } catch (error) {
    throw failure(error);
  }
}
