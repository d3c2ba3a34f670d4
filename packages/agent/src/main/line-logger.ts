import { type LogFields, type Logger, printableJson, printableLine } from "@slipway/runtime";

const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

/** The destination and format of log lines. */
export interface LineSink {
  readonly format: "human" | "json";
  /** The lowest level that is written. */
  readonly minLevel: Level;
  /** Writes a line with its end. Its errors are dropped: a log must not end the agent. */
  readonly write: (line: string) => void;
}

/** Creates a logger that writes lines to each sink; small, because an agent runs in every workspace. */
export function createLineLogger(
  sinks: readonly LineSink[],
  now: () => number,
  fixed: LogFields = {},
): Logger {
  const log = (level: Level, fields: LogFields, message: string): void => {
    const time = new Date(now()).toISOString();
    const all = { ...fixed, ...fields };
    for (const sink of sinks) {
      if (levels.indexOf(level) < levels.indexOf(sink.minLevel)) continue;
      try {
        sink.write(`${formats[sink.format]({ time, level, message, fields: all })}\n`);
      } catch {
        // A full disk or a closed terminal: there is no place left to report it.
      }
    }
  };
  return {
    debug: (fields, message) => log("debug", fields, message),
    info: (fields, message) => log("info", fields, message),
    warn: (fields, message) => log("warn", fields, message),
    error: (fields, message) => log("error", fields, message),
    child: (fields) => createLineLogger(sinks, now, { ...fixed, ...fields }),
  };
}

interface Line {
  readonly time: string;
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields;
}

const formats = {
  json: ({ time, level, message, fields }: Line): string =>
    printableJson(JSON.stringify({ time, level, msg: message, ...redact(fields) })),
  human: ({ time, level, message, fields }: Line): string =>
    printableLine(
      [time, level.padEnd(5), message, ...Object.entries(redact(fields)).map(pair)].join(" "),
    ),
};

function pair([name, value]: [string, unknown]): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `${name}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
}

/** Redacts tokens and header values of every log line. */
function redact(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, /token|secret|headers/i.test(name) ? "[redacted]" : value]),
  );
}
