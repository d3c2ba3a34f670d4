import type { ParamsOf, QueryOf, Route } from "@slipway/api/contract/route";
import { Backoff, type Clock } from "@slipway/runtime";

import type { ApiClient } from "../http/client.ts";
import { AnswerError, isRetryable } from "../http/errors.ts";
import { openSocket } from "./socket.ts";

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
}

const endedByServer = 1000;

/**
 * Follows a log across lost connections and server restarts: each entry once, in order of its id. Ends when the
 * server ends the stream; throws `ApiError` if the server refuses, `AnswerError` if a message is not an entry, and
 * the signal's reason. A message is one entry or an array of them (docs/protocol/clients.md §4.2 and §4.4).
 */
export async function* followLog<T extends LogEntry, R extends Route>(
  options: FollowOptions<R>,
): AsyncGenerator<T, void, undefined> {
  const backoff = new Backoff();
  let after = options.after ?? 0;
  for (;;) {
    try {
      const socket = await openFollow(options, after);
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
      if (!isRetryable(error)) throw error;
      options.onReconnect?.(error);
    }
    await options.clock.sleep(backoff.next(), options.signal);
  }
}

async function openFollow<R extends Route>(
  options: FollowOptions<R>,
  after: number,
): ReturnType<typeof openSocket> {
  const { client, route, params, signal } = options;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- routes that are followed have these keys in their query
  const query = { follow: "true", ...(after > 0 ? { after: String(after) } : {}) } as QueryOf<R>;
  const url = client.url(route, { params, query });
  try {
    return await openSocket(url, {
      headers: client.headers,
      signal,
      ...(client.createSocket === undefined ? {} : { create: client.createSocket }),
    });
  } catch (error) {
    // A WebSocket does not say why it was refused; the plain route does, by throwing.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- routes that are followed have this key in their query
    const probe = { after: String(Number.MAX_SAFE_INTEGER) } as QueryOf<R>;
    await client.call(route, { params, query: probe, signal });
    throw error;
  }
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
