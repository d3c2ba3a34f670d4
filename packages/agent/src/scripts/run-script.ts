import { errorText, type Logger } from "@slipway/runtime";

import { ProcessError } from "../process/errors.ts";
import { expandPath } from "../process/expand.ts";
import {
  pipesGraceMs,
  runCommand,
  type CommandHost,
  type RunOutcome,
} from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import type { LogQueue } from "./log-queue.ts";
import {
  makeScriptDataDirectory,
  scriptBinDirectory,
  scriptDataDirectory,
  type ScriptDirectories,
} from "./script-directories.ts";
import { ScriptLog } from "./script-log.ts";
import { scriptResult, type ScriptTiming, type Script, type Stage } from "./script.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The resources with which scripts run. */
export interface ScriptHost {
  readonly commands: CommandHost;
  /** Creates a command with the environment of the latest manifest. */
  readonly prepare: (text: string, extra: Variables) => Promise<PreparedCommand>;
  readonly logs: LogQueue;
  readonly directories: ScriptDirectories;
  readonly home: { readonly home: string; readonly environment: Variables };
  readonly logger: Logger;
  /** Called when a script that has printed much prints more. */
  readonly onMuchOutput?: () => void;
}

const muchOutputBytes = 256 * 1024;
/** The time from SIGHUP to SIGKILL: after the timeout (docs/protocol/agent.md §4.3), and when the agent shuts down. */
const timeoutGraceMs = 10_000;
const stopGraceMs = 2_000;

interface RunScriptOptions {
  readonly timeoutMs: number | undefined;
  /** Resolves once the script may start; its files are opened meanwhile. Never rejects. */
  readonly ready: Promise<void>;
  readonly signal: AbortSignal;
}

/** Runs a script to its end. Its failures do not reject: they are in the result and in the script's log. */
export async function runScript(
  script: Script,
  stage: Stage,
  host: ScriptHost,
  options: RunScriptOptions,
): Promise<ScriptTiming> {
  const { clock } = host.commands;
  const startMs = clock.now();
  const outcome = await runWithLog(script, host, options);
  const timing: ScriptTiming = {
    scriptId: script.id,
    stage,
    startMs,
    // The wall clock may have been set back in the meantime; a server refuses an end before the start.
    endMs: Math.max(startMs, clock.now()),
    ...scriptResult(outcome),
  };
  const name = JSON.stringify(script.displayName || script.id);
  host.logger.info({ scriptId: script.id, stage }, `script ${name} ended: ${endText(outcome)}`);
  return timing;
}

async function runWithLog(
  script: Script,
  host: ScriptHost,
  { timeoutMs, ready, signal }: RunScriptOptions,
): Promise<RunOutcome> {
  // All concurrently: during a reinit, each wait for a file costs milliseconds.
  const [opened, command] = await Promise.all([
    ScriptLog.open(host.logs, script.logSourceId, logPath(script, host)),
    prepare(script, host),
    ready,
  ]);
  await using log = opened;
  if (command instanceof ProcessError) {
    log.say("error", errorText(command));
    return { kind: "not-started", error: command };
  }
  let outputBytes = 0;
  const outcome = await runCommand(command, host.commands, {
    timeoutMs,
    timeoutGraceMs,
    stopGraceMs,
    joinOutput: false,
    onOutput: (stream, chunk, cut) => {
      outputBytes += chunk.length;
      if (outputBytes > muchOutputBytes) host.onMuchOutput?.();
      return log.take(stream, chunk, cut);
    },
    signal,
  });
  const note = noteOf(outcome, timeoutMs);
  if (note !== undefined) log.say("error", note);
  return outcome;
}

async function prepare(script: Script, host: ScriptHost): Promise<PreparedCommand | ProcessError> {
  const { dataDir } = host.directories;
  try {
    const variables = {
      CODER_SCRIPT_DATA_DIR: scriptDataDirectory(dataDir, script.logSourceId),
      CODER_SCRIPT_BIN_DIR: scriptBinDirectory(dataDir),
    };
    const [command] = await Promise.all([
      host.prepare(script.text, variables),
      makeScriptDataDirectory(dataDir, script.logSourceId),
    ]);
    return command;
  } catch (error) {
    if (error instanceof ProcessError) return error;
    return new ProcessError("no-directory", "cannot create the script's directory", {
      cause: error,
    });
  }
}

function logPath(script: Script, { directories, home }: ScriptHost): string {
  const path = script.logPath || `coder-script-${script.logSourceId}.log`;
  return expandPath(path, { ...home, base: directories.logDir });
}

/** Describes the end of a script for the agent's log. */
function endText(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case "exited":
      return outcome.exitCode === 0 ? "ok" : `exit code ${outcome.exitCode}`;
    case "signalled":
      return `killed by ${outcome.signal}`;
    case "timed-out":
      return "timed out";
    case "pipes-left-open":
      return "its output is still open";
    case "stopped":
      return "stopped with the agent";
    case "not-started":
      return "not started";
  }
}

/** Describes the end of a script for its log; undefined if the output suffices. */
function noteOf(outcome: RunOutcome, timeoutMs: number | undefined): string | undefined {
  switch (outcome.kind) {
    case "exited":
      return outcome.exitCode === 0 ? undefined : `script exited with code ${outcome.exitCode}`;
    case "signalled":
      return `script was killed by ${outcome.signal}`;
    case "timed-out":
      return `script did not end within ${(timeoutMs ?? 0) / 1000} s and was killed`;
    case "pipes-left-open":
      return `script exited, but something it started kept its output open for ${pipesGraceMs / 1000} s more; send the output of background processes elsewhere`;
    case "stopped":
      return "script was ended because the agent shuts down";
    case "not-started":
      return errorText(outcome.error);
  }
}
