import { type Duplex, duplexPair } from "node:stream";
import { text } from "node:stream/consumers";

import { systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { shellCommand } from "../../tests/support/command-host.ts";
import { defaultTerminalSize } from "../terminal/terminal-size.ts";
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
