import { randomUUID } from "node:crypto";
import { type Duplex, duplexPair } from "node:stream";

import { TerminalFrames } from "@slipway/wire/services/terminal-frames";
import { expect, it, onTestFinished } from "vitest";

import { ResumableViewer, windowBytes } from "./resumable-viewer.ts";

interface Client {
  readonly connection: Duplex;
  /** Returns the kinds of the received events. */
  readonly events: () => readonly string[];
}

function openClient(id: string): Client {
  // It takes everything immediately.
  const [client, connection] = duplexPair({ highWaterMark: 4 * windowBytes });
  onTestFinished(() => void connection.destroy());
  const frames = new TerminalFrames(id);
  const seen: string[] = [];
  client.on("data", (chunk: Buffer) => seen.push(...frames.receive(chunk).map(({ type }) => type)));
  return { connection, events: () => seen };
}

const most = Buffer.alloc(windowBytes - 1);

it("counts as under way what follows the position at which a viewer goes on, and nothing twice", () => {
  const viewer = new ResumableViewer(randomUUID());
  viewer.begin(openClient(viewer.id).connection, 0, most);
  expect(viewer.isReady).toBe(true);
  // It has received none of it, and everything is sent again.
  viewer.begin(openClient(viewer.id).connection, 0, most);
  expect(viewer.isReady).toBe(true);
  viewer.show(Buffer.alloc(1));
  expect(viewer.isReady).toBe(false);
  viewer.receive(1);
  expect(viewer.isReady).toBe(true);
});

it("believes no position that was not sent, nor an earlier one than before", () => {
  const viewer = new ResumableViewer(randomUUID());
  viewer.begin(openClient(viewer.id).connection, 0, most);
  viewer.show(Buffer.alloc(1));
  viewer.receive(windowBytes + 1);
  expect(viewer.isReady).toBe(false);
  viewer.receive(10);
  viewer.receive(0);
  expect(viewer.isReady).toBe(true);
});

it("cuts off the connection before, whose end then is not that of the viewer", () => {
  const viewer = new ResumableViewer(randomUUID());
  const [first, second] = [openClient(viewer.id), openClient(viewer.id)];
  viewer.begin(first.connection, 0, Buffer.alloc(0));
  viewer.begin(second.connection, 0, Buffer.alloc(0));
  expect(first.connection.destroyed).toBe(true);
  viewer.lose(first.connection);
  expect(viewer.isLost).toBe(false);
  viewer.lose(second.connection);
  expect(viewer.isLost).toBe(true);
});

it("confirms what was typed once, and what was typed before again to a connection that follows", async () => {
  const viewer = new ResumableViewer(randomUUID());
  const client = openClient(viewer.id);
  viewer.begin(client.connection, 0, Buffer.alloc(0));
  const typed = { data: "x", size: undefined, received: undefined, isBye: false };
  expect(viewer.accepts({ ...typed, number: 1 })).toBe(true);
  expect(viewer.accepts({ ...typed, number: 1 })).toBe(false);
  expect(() => viewer.accepts({ ...typed, number: 3 })).toThrow("wanted 2");
  viewer.confirm();
  viewer.confirm();
  await expect.poll(client.events).toEqual(["attached", "taken"]);
});
