import { closeSync, writeSync } from "node:fs";
import { join } from "node:path";

import { errorText, type Logger } from "@slipway/runtime";

import type { AgentConfig } from "../config/agent-config.ts";
import { openLogFileSync } from "../process/log-file.ts";
import { createLineLogger } from "./line-logger.ts";
import type { LineSink } from "./line-logger.ts";
import { RotatingFile } from "./rotating-file.ts";

/** The agent's log. Disposing of it closes its files. */
export interface OpenLogger extends Disposable {
  readonly logger: Logger;
}

const rotation = { maxBytes: 5 * 1024 * 1024, keep: 5 };

/** Opens `coder-agent.log` and the two other logs. A log that cannot be opened is reported in the others. */
export function openLogger(
  config: Pick<AgentConfig, "logDir" | "logHuman" | "logJson">,
  now: () => number,
): OpenLogger {
  const closing = new DisposableStack();
  const sinks: LineSink[] = [];
  const faults: string[] = [];
  const add = (path: string, open: () => LineSink): void => {
    try {
      sinks.push(open());
    } catch (error) {
      faults.push(`${path}: ${errorText(error)}`);
    }
  };
  const path = join(config.logDir, "coder-agent.log");
  add(path, () => {
    const file = closing.use(new RotatingFile(path, rotation, now));
    return { format: "json", minLevel: "debug", write: (line) => file.write(line) };
  });
  for (const [format, target] of [
    ["human", config.logHuman],
    ["json", config.logJson],
  ] as const) {
    if (target !== undefined) {
      add(target, () => ({ format, minLevel: "info", write: openTarget(target, closing) }));
    }
  }
  const logger = createLineLogger(sinks, now);
  for (const fault of faults) logger.warn({ fault }, "cannot open log");
  return { logger, [Symbol.dispose]: () => closing.dispose() };
}

function openTarget(path: string, closing: DisposableStack): (line: string) => void {
  if (path === "/dev/stderr") return (line) => process.stderr.write(line);
  if (path === "/dev/stdout") return (line) => process.stdout.write(line);
  const fd = openLogFileSync(path, { write: "append", mode: 0o644 });
  let isOpen = true;
  closing.defer(() => {
    isOpen = false;
    closeSync(fd);
  });
  return (line) => {
    // After closing, the number may be another file's.
    if (isOpen) writeSync(fd, line);
  };
}
