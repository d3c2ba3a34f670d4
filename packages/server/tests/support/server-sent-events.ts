/** A server-sent event. */
export interface ServerSentEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Returns the first event with data in the text of a stream; undefined if there is none yet. */
export function firstEventOf(text = ""): ServerSentEvent | undefined {
  const [, name, data] = /(?:^|\n)event: (\w+)\ndata: (.*)\n\n/.exec(text) ?? [];
  return name === undefined || data === undefined ? undefined : { name, data: JSON.parse(data) };
}

/** Opens a stream, and closes it after its first event. */
export async function readFirstEvent(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<ServerSentEvent | undefined> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  if (response.headers.get("content-type") !== "text/event-stream") {
    throw new Error(`no event stream: ${response.status} ${await response.text()}`);
  }
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (firstEventOf(text) !== undefined) break;
  }
  abort.abort();
  return firstEventOf(text);
}
