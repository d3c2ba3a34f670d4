import { WebSocket } from "ws";

/** A client's socket that keeps the text messages that it receives. */
export interface TextSocket {
  /** The messages in order of arrival; complete once `ended` is settled. */
  readonly messages: readonly string[];
  readonly firstMessage: Promise<void>;
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
  readonly raw: WebSocket;
}

export function openTextSocket(url: string, headers: Readonly<Record<string, string>>): TextSocket {
  const raw = new WebSocket(url, { headers });
  const messages: string[] = [];
  const first = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<{ code: number; reason: string }>();
  raw.on("message", (data: Buffer) => {
    messages.push(data.toString());
    first.resolve();
  });
  raw.on("close", (code, reason) => ended.resolve({ code, reason: reason.toString() }));
  raw.on("error", ended.reject);
  return { messages, firstMessage: first.promise, ended: ended.promise, raw };
}
