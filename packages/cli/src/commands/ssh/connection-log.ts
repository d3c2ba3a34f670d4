import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import {
  type Clock,
  type LogFields,
  type Logger,
  printableJson,
  silentLogger,
} from "@slipway/runtime";
import { makeDirectoriesSync } from "@slipway/runtime/make-directories";

/** The log of a connection. Its opener disposes of it. */
export interface ConnectionLog extends Disposable {
  readonly logger: Logger;
}

export interface ConnectionLogOptions {
  /** The directory for the file; undefined for no file. */
  readonly directory: string | undefined;
  /** True to log everything, and to `print` if there is no file. */
  readonly isVerbose: boolean;
  readonly print: (line: string) => void;
  /** The process by which editors find the file: the `ssh` that started this one. */
  readonly processId: number;
  readonly clock: Pick<Clock, "now">;
}

const directoryMode = 0o700;
const fileMode = 0o600;

/**
 * Opens the log of a connection to a workspace, in a new file `coder-ssh-<time>-<random>-<process id>.log` if a directory is
 * given: editors look for names of this form (docs/protocol/clients.md §3.1).
 */
export function openConnectionLog(options: ConnectionLogOptions): ConnectionLog {
  const { directory, isVerbose, print, clock } = options;
  if (directory === undefined) {
    const logger = isVerbose ? lineLogger(print, true, clock) : silentLogger;
    return { logger, [Symbol.dispose]: () => undefined };
  }
  makeDirectoriesSync(directory, directoryMode);
  const time = new Date(clock.now())
    .toISOString()
    .replaceAll(/[-:]|\..*/g, "")
    .replace("T", "-");
  const name = `coder-ssh-${time}-${randomBytes(4).toString("hex")}-${options.processId}.log`;
  const file = openSync(join(directory, name), "wx", fileMode);
  const write = (line: string): void => {
    try {
      writeSync(file, `${line}\n`);
    } catch {
      // A full disk must not end the connection.
    }
  };
  return {
    logger: lineLogger(write, isVerbose, clock),
    [Symbol.dispose]: () => closeSync(file),
  };
}

function lineLogger(
  write: (line: string) => void,
  isVerbose: boolean,
  clock: Pick<Clock, "now">,
  fixed: LogFields = {},
): Logger {
  const at =
    (level: string) =>
    (fields: LogFields, msg: string): void => {
      const time = new Date(clock.now()).toISOString();
      write(printableJson(JSON.stringify({ time, level, msg, ...fixed, ...fields })));
    };
  return {
    debug: isVerbose ? at("debug") : () => undefined,
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => lineLogger(write, isVerbose, clock, { ...fixed, ...fields }),
  };
}
