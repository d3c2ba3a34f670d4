import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

import type { Client } from "./people.ts";

/** Watches a user's inbox until the test ends; returns the messages, which grow. */
export async function watchInbox(
  serverUrl: string,
  { headers }: Pick<Client, "headers">,
  query = "",
): Promise<readonly string[]> {
  const url = `${serverUrl.replace("http", "ws")}/api/v2/notifications/inbox/watch?${query}`;
  const socket = new WebSocket(url, { headers });
  onTestFinished(() => socket.terminate());
  const messages: string[] = [];
  socket.on("message", (data: Buffer) => messages.push(data.toString()));
  await new Promise((resolve) => void socket.once("open", resolve));
  // Once this is subscribed, later notifications arrive.
  socket.ping();
  await new Promise((resolve) => void socket.once("pong", resolve));
  return messages;
}
