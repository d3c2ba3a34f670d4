import { type Logger, printableJson, printableText } from "@slipway/runtime";
import { pino } from "pino";
import { prettyFactory } from "pino-pretty";

import type { Settings } from "../platform/config/settings.ts";

const redacted = ["token", "password", "secret", "key", "*.token", "*.password", "*.secret"];

/**
 * Creates the server's log: lines of JSON, or for people. Redacts fields that could hold a secret, and strips terminal
 * control sequences from text of agents and clients. `write` takes whole lines.
 */
export function createLogger(
  settings: Settings["log"],
  isTerminal: boolean,
  write: (line: string) => void = writeToStderr(),
): Logger {
  const options = {
    level: settings.level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: redacted, censor: "[redacted]" },
  };
  if (settings.format === "json") {
    return pino(options, { write: (line) => write(printableJson(line)) });
  }
  const pretty = prettyFactory({
    colorize: isTerminal,
    translateTime: "SYS:HH:MM:ss",
    singleLine: true,
  });
  return pino(options, {
    write: (line) => write(printableText(pretty(line), { colors: isTerminal })),
  });
}

function writeToStderr(): (line: string) => void {
  const stderr = pino.destination({ dest: 2, sync: true });
  // A full disk or a closed terminal must not end the server, and there is nowhere left to say so.
  stderr.on("error", () => undefined);
  return (line) => void stderr.write(line);
}
