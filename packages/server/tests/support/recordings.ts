import type { RecordedLine } from "@slipway/testkit/recordings";

/** Returns whether the recorded response has a JSON body. */
export function hasJson({ response_headers: headers, response_body: body }: RecordedLine): boolean {
  const isJson = headers?.["content-type"]?.startsWith("application/json") ?? false;
  return isJson && body !== undefined;
}

export function bodyOf(record: RecordedLine): unknown {
  return JSON.parse(record.response_body ?? "null");
}

/** Returns the text messages that the server sent on a recorded WebSocket, each joined from its frames. */
export function messagesOf(records: readonly RecordedLine[], id: number): readonly unknown[] {
  const frames = records.filter((one) => one.id === id && one.kind === "ws" && one.dir === "s");
  return frames
    .filter(({ op }) => op === 1)
    .map(({ hex = "" }): unknown => JSON.parse(Buffer.from(hex, "hex").toString()));
}
