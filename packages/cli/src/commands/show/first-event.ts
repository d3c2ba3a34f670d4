/** The maximum read while looking for an event, in characters. */
const maxChars = 1024 * 1024;

/**
 * Reads the data of the first `data` event of a server-sent event stream (docs/protocol/clients.md §4.1), then closes
 * it. Undefined when the stream ends, refuses, or sends an `error` event first; rejects with the signal's reason.
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
  let text = "";
  // Leaving the loop cancels the body.
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const event = firstEvent(text);
    if (event.kind === "data") return event.data;
    if (event.kind === "error" || text.length > maxChars) return undefined;
  }
  return undefined;
}

type FirstEvent =
  | { readonly kind: "none" }
  | { readonly kind: "error" }
  | { readonly kind: "data"; readonly data: string };

/** Returns the first complete event with content; an event is complete once an empty line ends it. */
export function firstEvent(text: string): FirstEvent {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n").slice(0, -1);
  for (const block of blocks) {
    const fields = block.split("\n");
    const name = valuesOf(fields, "event").at(-1) ?? "message";
    if (name === "error") return { kind: "error" };
    if (name === "data") return { kind: "data", data: valuesOf(fields, "data").join("\n") };
  }
  return { kind: "none" };
}

function valuesOf(fields: readonly string[], name: string): string[] {
  return fields
    .filter((field) => field.startsWith(`${name}:`))
    .map((field) => field.slice(name.length + 1).replace(/^ /, ""));
}
