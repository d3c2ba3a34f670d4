export type DriverLogLevel = "debug" | "info" | "warn" | "error";

/** The log of one build, followed by the workspace's owner. */
export interface DriverLog {
  /** Writes one line, without its end; `stage` is a short heading such as "Starting agents". */
  write(level: DriverLogLevel, stage: string, line: string): void;
}
