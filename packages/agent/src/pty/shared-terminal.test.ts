import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";

import { systemClock } from "@slipway/runtime";
import { TerminalFrames } from "@slipway/wire";
import { expect, it, onTestFinished } from "vitest";

import { shellCommand } from "../../tests/support/command-host.ts";
import { defaultTerminalSize } from "../terminal/terminal-size.ts";
import { windowBytes } from "./resumable-viewer.ts";
import { SharedTerminal } from "./shared-terminal.ts";

/** Looks at a terminal, and returns the viewer's end. */
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

it("goes on for a viewer that comes back for the next byte, without its word on those before", async () => {
  const terminal = new SharedTerminal(shellCommand("yes"), defaultTerminalSize, systemClock);
  onTestFinished(() => terminal.close());
  const id = randomUUID();
  let position = 0;
  /** Reads all that is sent, and never says so. */
  const resume = (received: number | undefined): Duplex => {
    const frames = new TerminalFrames(id);
    // It never says either that it has drained.
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
  // The terminal has looked by then, and waits for somebody to come.
  await once(first, "close");
  await setImmediate();
  const before = position;
  resume(before);
  await expect.poll(() => position).toBeGreaterThanOrEqual(before + windowBytes);
});
