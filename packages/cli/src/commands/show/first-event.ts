import { type SseEvent, SseParser } from "@slipway/sdk/stream";

import { nodeFetch } from "../../command/node-fetch.ts";

/** The maximum size of an event, in characters: that of all values of an agent. */
const maxChars = 1024 * 1024;

/**
 * Reads the data of the first `data` event of a server-sent event stream (docs/protocol/clients.md §4.1), then closes
 * it. Undefined if the stream ends, refuses, or sends an `error` event first; rejects once the signal aborts, and if
 * an event is too long.
 */
export async function readFirstEvent(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const response = await nodeFetch(url, {
    method: "GET",
    headers: { ...headers, Accept: "text/event-stream" },
    signal,
  });
  const decoder = new TextDecoder();
  const parser = new SseParser(maxChars);
  // Leaving the loop closes the connection.
  for await (const chunk of response.body) {
    if (!response.ok) return undefined;
    const event = firstEvent(parser.push(decoder.decode(chunk, { stream: true })));
    if (event !== undefined) return event.type === "data" ? event.data : undefined;
  }
  return undefined;
}

/** Finds the first event with data or an error. */
export function firstEvent(events: readonly SseEvent[]): SseEvent | undefined {
  return events.find(({ type }) => type === "data" || type === "error");
}
