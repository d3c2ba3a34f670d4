#!/usr/bin/env -S node --conditions=@slipway/source
import { systemClock } from "@slipway/runtime";

import {
  Interrupted,
  type Interruption,
  OutputClosed,
  type SignalName,
} from "./command/interruption.ts";
import { runCommandLine } from "./command/run-command-line.ts";
import { completeWord } from "./commands/completion/shells.ts";
import { commandTable } from "./commands/table.ts";
import { processEnvironment } from "./config/environment.ts";
import { processTerminal } from "./terminal/terminal.ts";

const signalNames = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Turns signals into an interruption: the first asks to end, the second insists, and from then on the system's own
 * way to end a process is back, for a third.
 */
function listenToSignals(): Interruption {
  const first = Promise.withResolvers<SignalName>();
  const second = new AbortController();
  let count = 0;
  const onSignal = (name: SignalName): void => {
    count += 1;
    first.resolve(name);
    if (count < 2) return;
    second.abort(new Interrupted(name));
    for (const each of signalNames) process.removeListener(each, onSignal);
  };
  for (const name of signalNames) process.on(name, onSignal);
  return { interrupted: first.promise, forced: second.signal };
}

/** Ends a command whose output nobody reads: `slipway logs demo | head`. */
function listenToClosedOutput(abort: (reason: OutputClosed) => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      abort(new OutputClosed());
    });
  }
}

const environment = processEnvironment();
const interruption = listenToSignals();
const ending = new AbortController();
void interruption.interrupted.then((signal) => ending.abort(new Interrupted(signal)));
listenToClosedOutput((reason) => ending.abort(reason));

const [first, ...more] = process.argv.slice(2);
const needs = {
  terminal: processTerminal(environment),
  environment,
  clock: systemClock,
  signal: ending.signal,
  interruption,
};
if (first === completeWord) {
  const { completeCommandLine } = await import("./commands/completion/complete-command-line.ts");
  process.exitCode = await completeCommandLine(commandTable, more, needs);
} else {
  process.exitCode = await runCommandLine(commandTable, process.argv.slice(2), needs);
}
