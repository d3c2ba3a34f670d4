#!/usr/bin/env -S node --conditions=@slipway/source
import { systemClock } from "@slipway/runtime";

import {
  Interrupted,
  type Interruption,
  OutputFailed,
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

/**
 * Ends a command whose output goes nowhere: quietly where the reader left (`slipway logs demo | head`), with a message
 * where a file cannot grow. Streams may fail after the command has ended, so the exit code is theirs to set.
 */
function listenToFailedOutput(
  abort: (reason: OutputFailed) => void,
): () => OutputFailed | undefined {
  let first: OutputFailed | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (first !== undefined) return;
      first = new OutputFailed(error);
      process.exitCode = first.exitCode;
      if (stream === process.stdout && error.code !== "EPIPE") {
        process.stderr.write(`error: ${first.message}\n`);
      }
      abort(first);
    });
  }
  return () => first;
}

const environment = processEnvironment();
const interruption = listenToSignals();
const ending = new AbortController();
void interruption.interrupted.then((signal) => ending.abort(new Interrupted(signal)));
const failedOutput = listenToFailedOutput((reason) => ending.abort(reason));

const [first, ...more] = process.argv.slice(2);
const needs = {
  terminal: processTerminal(environment),
  environment,
  clock: systemClock,
  signal: ending.signal,
  interruption,
};
let exitCode: number;
if (first === completeWord) {
  const { completeCommandLine } = await import("./commands/completion/complete-command-line.ts");
  exitCode = await completeCommandLine(commandTable, more, needs);
} else {
  exitCode = await runCommandLine(commandTable, process.argv.slice(2), needs);
}
process.exitCode = failedOutput()?.exitCode ?? exitCode;
