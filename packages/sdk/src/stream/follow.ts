import type { ParamsOf, QueryOf, Route } from "@slipway/api/contract/route";
import { Backoff, type Clock, defaultBackoff } from "@slipway/runtime";

import type { ApiClient } from "../http/client.ts";
import { AnswerError, ApiError, isRetryable } from "../http/errors.ts";
import { type MessageSocket, openSocket } from "./socket.ts";

/** An entry of a log: its id is the place to resume. */
interface LogEntry {
  readonly id: number;
}

export interface FollowOptions<R extends Route> {
  readonly client: ApiClient;
  readonly route: R;
  readonly params: ParamsOf<R>;
  /** Only entries with a greater id. */
  readonly after?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called when the connection is lost and a new one is tried. */
  readonly onReconnect?: (error: unknown) => void;
  /** Called instead when no socket opens, but a request is answered, as behind a proxy (default: `onReconnect`). */
  readonly onWithoutSocket?: (error: unknown) => void;
  /** Called each time a socket has not opened for five seconds. */
  readonly onSlow?: () => void;
  /** Asks whether the log is complete, where no socket says so (default: it is followed until the signal aborts). */
  readonly isComplete?: () => Promise<boolean>;
}

const endedByServer = 1000;
/** The time to open a socket after which the wait is reported. */
const slowMs = 5_000;
/** The delays between requests where no socket opens: the server answers them. */
const polling = { ...defaultBackoff, maxMs: 3_000 };

/**
 * Follows a log across lost connections and server restarts: each entry once, in order of its id. While no socket opens, as behind
 * a proxy that refuses them, reads what is new by requests. Ends when the server ends the stream, or a log that was read is gone
 * with its workspace; throws `ApiError` if the server refuses, `AnswerError` if a message is not an entry, and the signal's
 * reason. A message is one entry or an array of them (docs/protocol/clients.md §4.2 and §4.4).
 */
export async function* followLog<T extends LogEntry, R extends Route>(
  options: FollowOptions<R>,
): AsyncGenerator<T, void, undefined> {
  const backoff = new Backoff();
  const polls = new Backoff(polling);
  let after = options.after ?? 0;
  let wasThere = after > 0;
  for (;;) {
    try {
      const opened = await openFollow<T, R>(options, after);
      wasThere = true;
      if (opened.kind === "refused") {
        if (opened.entries.length > 0) polls.reset();
        for (const entry of opened.entries) {
          after = entry.id;
          yield entry;
        }
        if (opened.isComplete) return;
        if (!isRetryable(opened.error)) throw opened.error;
        (options.onWithoutSocket ?? options.onReconnect)?.(opened.error);
        await options.clock.sleep(polls.next(), options.signal);
        continue;
      }
      const { socket } = opened;
      try {
        for await (const text of socket) {
          backoff.reset();
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are trusted to follow the contract
          for (const entry of readEntries(text, options.client) as readonly T[]) {
            if (entry.id <= after) continue;
            after = entry.id;
            yield entry;
          }
        }
      } finally {
        socket.close();
      }
      options.signal.throwIfAborted();
      const end = await socket.ended;
      if (end.code === endedByServer) return;
      options.onReconnect?.(new Error(`stream closed with ${end.code} ${end.reason}`.trim()));
    } catch (error) {
      options.signal.throwIfAborted();
      if (wasThere && isGone(error)) return;
      if (!isRetryable(error)) throw error;
      options.onReconnect?.(error);
    }
    await options.clock.sleep(backoff.next(), options.signal);
  }
}

type OpenedFollow<T> =
  | { readonly kind: "socket"; readonly socket: MessageSocket }
  /** No socket could be opened; a request had these entries. */
  | {
      readonly kind: "refused";
      readonly error: unknown;
      readonly entries: readonly T[];
      readonly isComplete: boolean;
    };

async function openFollow<T extends LogEntry, R extends Route>(
  options: FollowOptions<R>,
  after: number,
): Promise<OpenedFollow<T>> {
  const { client, route, params, signal } = options;
  const since = after > 0 ? { after: String(after) } : {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- routes that are followed have these keys in their query
  const query = { follow: "true", ...since } as QueryOf<R>;
  const url = client.url(route, { params, query });
  try {
    return { kind: "socket", socket: await openPatiently(url, options) };
  } catch (error) {
    signal.throwIfAborted();
    // A WebSocket does not say why it was refused; the plain route does, by throwing. What is complete before it is read
    // is read to its end.
    const isComplete = (await options.isComplete?.()) ?? false;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- routes that are followed have this key in their query
    const read = await client.call(route, { params, query: since as QueryOf<R>, signal });
    return { kind: "refused", error, entries: read as readonly T[], isComplete };
  }
}

/** Opens a socket, and reports a long wait. */
async function openPatiently<R extends Route>(
  url: string,
  { client, clock, signal, onSlow }: FollowOptions<R>,
): Promise<MessageSocket> {
  const opening = new AbortController();
  if (onSlow !== undefined) {
    // Only the end of the wait ends the sleep early.
    clock.sleep(slowMs, opening.signal).then(onSlow, () => undefined);
  }
  try {
    return await openSocket(url, {
      headers: client.headers,
      signal,
      ...(client.createSocket === undefined ? {} : { create: client.createSocket }),
    });
  } finally {
    opening.abort();
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 410);
}

function readEntries(text: string, { serverUrl }: ApiClient): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    const entries: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    if (entries.every(isEntry)) return entries;
    throw new TypeError("log entry has no id");
  } catch (cause) {
    throw new AnswerError(serverUrl, { cause });
  }
}

function isEntry(value: unknown): value is LogEntry {
  return typeof value === "object" && value !== null && "id" in value;
}
