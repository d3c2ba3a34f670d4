import { objectOf, numberOf, parseObject, printableLine, textOf } from "@slipway/runtime";
import type { JsonObject } from "@slipway/runtime";

import type { DriverLog, DriverLogLevel } from "../driver.ts";
import type { StepTiming } from "../stage-timing.ts";
import { StepTimings } from "./step-timings.ts";

/** The maximum output of one run that is logged, in bytes; diagnostics are logged in any case, up to their own limit. */
const maxLogBytes = 1024 * 1024;
/** The longest logged line, in characters. */
const maxLineLength = 4_096;
const maxDiagnostics = 50;
/** The length from which the explanation of an error is cut, in characters. */
const maxErrorLength = 600;

/** The ends of lines that programs of the template print, which need not be parsed once enough are logged. */
const programOutput = Buffer.from('"type":"provision_progress"}');

/** Messages that say nothing to the owner of a workspace. */
const silentTypes: ReadonlySet<string> = new Set(["version", "outputs", "change_summary"]);
const minorTypes: ReadonlySet<string> = new Set([
  "refresh_start",
  "refresh_complete",
  "provision_start",
  "planned_change",
]);

/** Writes the output of one run into the log of its build, and keeps its errors. */
export class RunLog {
  readonly #log: DriverLog;
  readonly #stage: string;
  readonly #redact: (text: string) => string;
  readonly #errors: string[] = [];
  readonly #errorAddresses = new Set<string>();
  readonly #changes = new Map<string, string>();
  readonly #timings: StepTimings;
  #loggedBytes = 0;
  #isInError = false;
  #diagnostics = 0;

  /** `redact` hides the secrets of the run. */
  constructor(log: DriverLog, stage: string, redact: (text: string) => string = (text) => text) {
    this.#log = log;
    this.#stage = stage;
    this.#redact = redact;
    this.#timings = new StepTimings(redact);
  }

  /** The errors that the run reported, each with its file and line where it has one. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** The addresses of the resources that errors are about. */
  get errorAddresses(): readonly string[] {
    return [...this.#errorAddresses];
  }

  /** The planned changes by the address of each resource: `create`, `update`, `replace`, `delete`, … */
  get changes(): ReadonlyMap<string, string> {
    return this.#changes;
  }

  /** The longest of the run's steps. */
  get steps(): readonly StepTiming[] {
    return this.#timings.steps;
  }

  /** Logs a line of output: a JSON object (`-json`), or text. */
  readonly add = (bytes: Buffer): void => {
    const isFull = this.#loggedBytes > maxLogBytes;
    if (isFull && bytes.subarray(-programOutput.length).equals(programOutput)) return;
    const line = bytes.toString();
    const message = parseObject(line);
    if (message === undefined) return this.#addText(line);
    const type = textOf(message["type"]);
    if (type === "diagnostic") return this.#addDiagnostic(objectOf(message["diagnostic"]));
    if (type === "planned_change") this.#addChange(objectOf(message["change"]));
    this.#timings.add(message);
    if (isFull || silentTypes.has(type)) return;
    const isRead = objectOf(message["hook"])["action"] === "read";
    const isMinor = isRead || minorTypes.has(type);
    this.#write(isMinor ? "debug" : levelOf(message), textOf(message["@message"]));
  };

  #addChange(change: JsonObject): void {
    const action = textOf(change["action"]);
    if (action === "read" || action === "noop") return;
    this.#changes.set(textOf(objectOf(change["resource"])["addr"]), action);
  }

  /** Adds a line of text. An error goes on to the next one, or to the end. */
  #addText(line: string): void {
    if (line.trim() === "") return;
    const [, error] = /^Error: (.*)/.exec(line) ?? [];
    if (error !== undefined) {
      this.#isInError = true;
      this.#errors.push(this.#redact(printableLine(error)));
    } else if (this.#isInError) this.#extendError(line);
    const isStep = line.startsWith("- ");
    this.#write(this.#isInError ? "error" : isStep ? "info" : "debug", line);
  }

  /** Adds to the last error what follows it in other lines: its place, the lines of the file, and an explanation. */
  #extendError(line: string): void {
    const [, file, number] = /^\s*on (\S+) line (\d+)/.exec(line) ?? [];
    const last = this.#errors.pop() ?? "";
    const isQuote = /^\s*\d+:/.test(line);
    const hasRoom = last.length < maxErrorLength;
    const longer =
      isQuote || !hasRoom ? last : `${last} ${this.#redact(printableLine(line).trim())}`;
    this.#errors.push(file === undefined ? longer : `${file}:${number}: ${last}`);
  }

  #addDiagnostic(diagnostic: JsonObject): void {
    this.#diagnostics += 1;
    if (this.#diagnostics > maxDiagnostics) return;
    const level = diagnostic["severity"] === "error" ? "error" : "warn";
    const full = this.#redact(printableLine(diagnosticText(diagnostic)));
    const text = full.slice(0, maxLineLength);
    if (level === "error") {
      this.#errors.push(text);
      this.#errorAddresses.add(textOf(diagnostic["address"]));
    }
    this.#log.write(level, this.#stage, text);
  }

  #write(level: DriverLogLevel, text: string): void {
    if (this.#loggedBytes > maxLogBytes) return;
    this.#loggedBytes += text.length;
    this.#log.write(level, this.#stage, this.#redact(printableLine(text)).slice(0, maxLineLength));
    if (this.#loggedBytes > maxLogBytes) {
      this.#log.write(
        "warn",
        this.#stage,
        `more than ${maxLogBytes} bytes of output: the rest is not shown`,
      );
    }
  }
}

/** Returns a diagnostic as one line: `main.tf:3:5: Unsupported argument: An argument named "x" is not expected here.` */
function diagnosticText(diagnostic: JsonObject): string {
  const range = objectOf(diagnostic["range"]);
  const start = objectOf(range["start"]);
  const file = textOf(range["filename"]);
  const where =
    file === "" ? "" : `${file}:${numberOf(start["line"])}:${numberOf(start["column"])}: `;
  const address = textOf(diagnostic["address"]);
  const detail = textOf(diagnostic["detail"])
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
  const parts = [textOf(diagnostic["summary"]), detail].filter((part) => part !== "");
  return `${where}${address === "" ? "" : `${address}: `}${parts.join(": ")}`;
}

function levelOf(message: JsonObject): DriverLogLevel {
  const level = textOf(message["@level"]);
  return level === "error" || level === "warn" ? level : "info";
}
