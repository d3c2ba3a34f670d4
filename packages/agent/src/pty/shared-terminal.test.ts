import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";

import { systemClock } from "@slipway/runtime";
import { TerminalFrames } from "@slipway/wire/services/terminal-frames";
import { expect, it, onTestFinished } from "vitest";

import { shellCommand } from "../../tests/support/command-host.ts";
import { defaultTerminalSize } from "../terminal/terminal-size.ts";
import type { TerminalInput } from "./messages.ts";
import { windowBytes } from "./resumable-viewer.ts";
import { SharedTerminal } from "./shared-terminal.ts";

/** Attaches to a terminal, and returns the viewer's end. */
function view(terminal: SharedTerminal): Duplex {
  const [viewer, connection] = duplexPair();
  onTestFinished(() => void connection.destroy());
  terminal.attach(connection, undefined);
  viewer.end();
  return viewer;
}

it("keeps for a viewer that does not read what others have seen, as it was", async () => {
  const command = shellCommand("stty -onlcr; seq 1 200000");
  const terminal = new SharedTerminal(command, defaultTerminalSize, systemClock);
  onTestFinished(() => terminal.close());
  const [slow, fast] = [view(terminal), view(terminal)];
  const wanted = Array.from({ length: 200_000 }, (_, line) => `${line + 1}\n`).join("");
  expect((await text(fast)) === wanted).toBe(true);
  expect((await text(slow)) === wanted).toBe(true);
});

it("is over at once when the last viewer that might come for the rest says that it does not", async () => {
  const terminal = new SharedTerminal(shellCommand("true"), defaultTerminalSize, systemClock);
  onTestFinished(() => terminal.close());
  let isOver = false;
  void terminal.over.then(() => (isOver = true));
  const id = randomUUID();
  const [, connection] = duplexPair();
  onTestFinished(() => void connection.destroy());
  const viewer = terminal.attach(connection, { id, received: undefined });
  await terminal.ended;
  await setImmediate();
  expect([isOver, terminal.knows(id)]).toEqual([false, true]);
  const bye = { data: "", size: undefined, number: undefined, received: undefined, isBye: true };
  if (viewer !== undefined) await terminal.take(viewer, [bye]);
  await setImmediate();
  expect([isOver, terminal.knows(id)]).toEqual([true, false]);
});

it("takes the last size of those that come at once, and all that was typed between them", async () => {
  const command = shellCommand("read line; echo $line; stty size");
  const terminal = new SharedTerminal(command, defaultTerminalSize, systemClock);
  onTestFinished(() => terminal.close());
  const [client, connection] = duplexPair();
  onTestFinished(() => void connection.destroy());
  const viewer = terminal.attach(connection, undefined);
  const input = { data: "", number: undefined, received: undefined, isBye: false };
  const typed = (part: number): TerminalInput => ({
    ...input,
    size: { columns: 10 * part, rows: part },
    data: `part${part} `,
  });
  const last = { ...input, size: undefined, data: "\r" };
  if (viewer !== undefined) await terminal.take(viewer, [typed(1), typed(2), typed(3), last]);
  client.end();
  expect(await text(client)).toContain("part1 part2 part3\r\n3 30");
});

it("types what came before an input that is malformed", async () => {
  const command = shellCommand("read line; echo =$line");
  const terminal = new SharedTerminal(command, defaultTerminalSize, systemClock);
  onTestFinished(() => terminal.close());
  const [client, connection] = duplexPair();
  onTestFinished(() => void connection.destroy());
  const [frames, id] = [[] as Buffer[], randomUUID()];
  client.on("data", (chunk: Buffer) => frames.push(chunk));
  const viewer = terminal.attach(connection, { id, received: undefined });
  const input = { size: undefined, received: undefined, isBye: false };
  const inputs = [
    { ...input, data: "typed\r", number: 1 },
    { ...input, data: "late", number: 7 },
  ];
  if (viewer === undefined) throw new Error("nobody looks");
  await expect(terminal.take(viewer, inputs)).rejects.toMatchObject({ code: "malformed" });
  await expect.poll(() => Buffer.concat(frames).toString("latin1")).toContain("=typed");
});

it("goes on for a viewer that comes back for the next byte, without its word on those before", async () => {
  const terminal = new SharedTerminal(shellCommand("yes"), defaultTerminalSize, systemClock);
  onTestFinished(() => terminal.close());
  const id = randomUUID();
  let position = 0;
  /** A viewer that reads everything but never acknowledges. */
  const resume = (received: number | undefined): Duplex => {
    const frames = new TerminalFrames(id);
    // It never reports a drain either.
    const [viewer, connection] = duplexPair({ highWaterMark: 4 * windowBytes });
    onTestFinished(() => void connection.destroy());
    viewer.on("data", (chunk: Buffer) => {
      for (const event of frames.receive(chunk)) {
        if (event.type === "output") position += event.bytes.length;
      }
    });
    terminal.attach(connection, { id, received });
    return connection;
  };
  const first = resume(undefined);
  await expect.poll(() => position).toBeGreaterThanOrEqual(windowBytes);
  first.destroy();
  // The terminal has checked by then, and waits for a viewer.
  await once(first, "close");
  await setImmediate();
  const before = position;
  resume(before);
  await expect.poll(() => position).toBeGreaterThanOrEqual(before + windowBytes);
});
