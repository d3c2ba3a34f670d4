import { type SseEvent, SseParser } from "@slipway/sdk/stream";

/** The maximum size of an event, in characters: that of all values of an agent. */
const maxChars = 1024 * 1024;

/**
 * Reads the data of the first `data` event of a server-sent event stream (docs/protocol/clients.md §4.1), then closes
 * it. Undefined when the stream ends, refuses, or sends an `error` event first; rejects with the signal's reason, and
 * when an event is too long.
 */
export async function readFirstEvent(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const response = await fetch(url, {
    headers: { ...headers, Accept: "text/event-stream" },
    signal,
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    return undefined;
  }
  const parser = new SseParser(maxChars);
  // Leaving the loop cancels the body.
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const event = firstEvent(parser.push(chunk));
    if (event !== undefined) return event.type === "data" ? event.data : undefined;
  }
  return undefined;
}

/** Finds the first event that tells something. */
export function firstEvent(events: readonly SseEvent[]): SseEvent | undefined {
  return events.find(({ type }) => type === "data" || type === "error");
}
