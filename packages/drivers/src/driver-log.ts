export type DriverLogLevel = "debug" | "info" | "warn" | "error";

/** The log of one build, followed by the workspace's owner. */
export interface DriverLog {
  /** `stage` is a short heading such as "Starting agents"; `line` is one line without its end. */
  write(level: DriverLogLevel, stage: string, line: string): void;
}
