import { createHash, randomUUID } from "node:crypto";

import { runLimits } from "@slipway/api/agents/request-limits";

import { type TerminalSize, terminalSize } from "../terminal/terminal-size.ts";
import { runError } from "./errors.ts";

/** A validated request for a run. */
export interface RunStart {
  readonly id: string;
  /** The instance that the caller means; undefined for any. */
  readonly instanceId: string | undefined;
  /** Text for the login shell, or a program with its arguments. */
  readonly command: string | readonly [string, ...string[]];
  /** The command for people, cut. */
  readonly title: string;
  readonly workdir: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly terminal: TerminalSize | undefined;
  readonly hasInput: boolean;
  readonly timeoutMs: number | undefined;
  /** Equal for equal requests. */
  readonly digest: string;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const variable = /^[^=\0]{1,256}$/;
const maxTitleLength = 1_000;

/** Parses the body of a request for a run, which the server has not checked. Throws `ApiError`. */
export function parseRunStart(body: unknown): RunStart {
  if (!isObject(body)) throw invalid("the body is not a JSON object");
  const command = parseCommand(body);
  const start = {
    command,
    workdir: optionalText(body, "workdir", runLimits.pathLength),
    environment: parseEnvironment(body["env"]),
    user: optionalText(body, "user", 256),
    terminal: parseTerminal(body["tty"]),
    hasInput: optionalBoolean(body, "stdin"),
    timeoutMs: optionalCount(body, "timeout_ms", runLimits.timeoutMs),
  };
  const title = typeof command === "string" ? command : command.join(" ");
  return {
    ...start,
    id: optionalUuid(body, "id") ?? randomUUID(),
    instanceId: optionalUuid(body, "instance_id"),
    title: title.slice(0, maxTitleLength),
    digest: createHash("sha256").update(JSON.stringify(start)).digest("base64"),
  };
}

/** Returns the lower-case form of a UUID; undefined for any other text. */
export function parseUuid(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const lower = text.toLowerCase();
  return uuid.test(lower) ? lower : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function parseCommand(body: Fields): RunStart["command"] {
  const { command, argv } = body;
  if (argv === undefined) {
    const text = optionalText(body, "command", runLimits.commandLength);
    if (text === undefined || text.trim() === "") throw invalid("there is no command");
    return text;
  }
  if (command !== undefined) throw invalid("there is both a command and argv");
  const isWord = (word: unknown): word is string =>
    typeof word === "string" && word.length <= runLimits.commandLength && !word.includes("\0");
  if (!Array.isArray(argv) || argv.length > runLimits.arguments || !argv.every(isWord)) {
    throw invalid("argv is not a list of words");
  }
  const [program, ...args] = argv;
  if (program === undefined || program === "") throw invalid("argv has no program");
  return [program, ...args];
}

function parseEnvironment(env: unknown): Readonly<Record<string, string>> {
  if (env === undefined) return {};
  if (!isObject(env)) throw invalid("env is not an object");
  const entries = Object.entries(env).toSorted(([one], [other]) => (one < other ? -1 : 1));
  if (entries.length > runLimits.variables) throw invalid("env has too many variables");
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const isValue = typeof value === "string" && value.length <= runLimits.valueLength;
      if (!variable.test(name) || !isValue || value.includes("\0")) {
        throw invalid("env has a variable without a valid name and text");
      }
      return [name, value];
    }),
  );
}

function parseTerminal(tty: unknown): TerminalSize | undefined {
  if (tty === undefined) return undefined;
  const size = isObject(tty)
    ? terminalSize(Number(tty["columns"]), Number(tty["rows"]))
    : undefined;
  if (size === undefined) throw invalid("tty is not a size of columns and rows");
  return size;
}

function optionalText(body: Fields, name: string, maxLength: number): string | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.includes("\0")) throw invalid(`${name} is not a text`);
  if (value.length > maxLength) throw invalid(`${name} is longer than ${maxLength} characters`);
  return value;
}

function optionalBoolean(body: Fields, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== "boolean") throw invalid(`${name} is not true or false`);
  return value;
}

function optionalCount(body: Fields, name: string, max: number): number | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  const isCount = typeof value === "number" && Number.isInteger(value) && value > 0;
  if (!isCount || value > max) throw invalid(`${name} is not a number from 1 to ${max}`);
  return value;
}

function optionalUuid(body: Fields, name: string): string | undefined {
  if (body[name] === undefined) return undefined;
  const value = parseUuid(body[name]);
  if (value === undefined) throw invalid(`${name} is not a UUID`);
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(detail: string): Error {
  return runError("invalid-request", "The request for a run is invalid.", detail);
}
