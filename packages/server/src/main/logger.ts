import type { Logger } from "@slipway/runtime";
import { pino } from "pino";
import pretty from "pino-pretty";

import type { Settings } from "../config/settings.ts";

const redacted = ["token", "password", "secret", "key", "*.token", "*.password", "*.secret"];

/** The server's log: lines of JSON, or for people. Fields that could hold a secret are blanked. */
export function createLogger(settings: Settings["log"], isTerminal: boolean): Logger {
  const options = {
    level: settings.level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: redacted, censor: "[redacted]" },
  };
  if (settings.format === "json") return pino(options, pino.destination({ dest: 2, sync: true }));
  const stream = pretty({
    destination: 2,
    sync: true,
    colorize: isTerminal,
    translateTime: "SYS:HH:MM:ss",
    singleLine: true,
  });
  return pino(options, stream);
}
