import { hasControllingTerminal, systemClock } from "@slipway/runtime";
import { processEnvironment } from "@slipway/sdk/session";

import { processTerminal } from "../terminal/terminal.ts";
import { InterruptError, type Interruption, OutputError, type SignalName } from "./errors.ts";
import type { ProcessNeeds } from "./needs.ts";
import { urlOpener } from "./url-opener.ts";

/** Runs a command line with the terminal, environment and signals of this process; `run` resolves with the exit code. */
export async function runProcess(
  run: (words: readonly string[], needs: ProcessNeeds) => Promise<number>,
): Promise<void> {
  const environment = processEnvironment();
  const interruption = listenToSignals(process.argv[2] === "agent");
  const ending = new AbortController();
  void interruption.interrupted.then((signal) => ending.abort(new InterruptError(signal)));
  const failedOutput = listenToFailedOutput((reason) => ending.abort(reason));
  const exitCode = await run(process.argv.slice(2), {
    terminal: processTerminal(environment, ending.signal),
    environment,
    clock: systemClock,
    opener: urlOpener(environment, process.platform),
    signal: ending.signal,
    interruption,
  });
  process.exitCode = failedOutput()?.exitCode ?? exitCode;
  if (interruption.forced.aborted) exit();
  if (longCommands.has(process.argv[2] ?? "")) return;
  await written(process.stdout);
  await written(process.stderr);
  // Failures of the output are reported after its callbacks.
  setImmediate(exit);
}

/** The commands after whose end something may still be written, such as the last lines of a log. */
const longCommands: ReadonlySet<string> = new Set(["server", "agent"]);

/**
 * Ends the process. It waits neither for open resources, such as a connection to a hanging database, nor for Node.js to free
 * all memory, a twentieth of a short command's time.
 */
function exit(): never {
  // oxlint-disable-next-line unicorn/no-process-exit -- nothing else ends a process early
  process.exit();
}

/** Resolves when everything written so far has been handed to the system, or cannot be. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.write("", () => resolve());
  await promise;
}

const signalNames = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Turns signals into an interruption: the first asks to end, the second insists, and then the system's default
 * handling is restored, for a third. An agent without a terminal does not end when a terminal hangs up.
 */
function listenToSignals(isAgent: boolean): Interruption {
  const first = Promise.withResolvers<SignalName>();
  const second = new AbortController();
  let count = 0;
  const ignoresHangUp = isAgent && !hasControllingTerminal();
  const onSignal = (name: SignalName): void => {
    if (name === "SIGHUP" && ignoresHangUp) return;
    count += 1;
    first.resolve(name);
    if (count < 2) return;
    second.abort(new InterruptError(name));
    for (const each of signalNames) process.removeListener(each, onSignal);
  };
  for (const name of signalNames) process.on(name, onSignal);
  return { interrupted: first.promise, forced: second.signal };
}

/**
 * Ends a command whose output cannot be written: quietly if the reader is gone (`slipway logs demo | head`), with a
 * message if a file cannot grow. Streams may fail after the command has ended, so they set the exit code.
 */
function listenToFailedOutput(abort: (reason: OutputError) => void): () => OutputError | undefined {
  let first: OutputError | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (first !== undefined) return;
      first = new OutputError(error);
      process.exitCode = first.exitCode;
      if (stream === process.stdout && error.code !== "EPIPE") {
        process.stderr.write(`error: ${first.message}\n`);
      }
      abort(first);
    });
  }
  return () => first;
}
