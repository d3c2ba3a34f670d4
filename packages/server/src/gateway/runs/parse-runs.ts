import type { Run, RunChunk, RunList, RunPage } from "@slipway/api/agents/run-routes";

import { Unreachable } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";

/* The answers of agents about runs, which are not trusted: only known fields of the right form reach users. */

/** The maximum number of runs and chunks in an answer. */
const maxItems = 10_000;

/** Parses a run. Throws `Unreachable`. */
export function parseRun(value: unknown): Run {
  const fields = fieldsOf(value);
  const status = fields["status"];
  const stdin = fields["stdin"];
  if (status !== "running" && status !== "exited") throw malformed("status");
  if (stdin !== "none" && stdin !== "open" && stdin !== "closed") throw malformed("stdin");
  return {
    id: uuidOf(fields, "id"),
    instance_id: uuidOf(fields, "instance_id"),
    command: textOf(fields, "command"),
    workdir: textOf(fields, "workdir"),
    user: textOf(fields, "user"),
    tty: booleanOf(fields, "tty"),
    status,
    started_at: textOf(fields, "started_at"),
    exited_at: fields["exited_at"] === null ? null : textOf(fields, "exited_at"),
    exit_code: fields["exit_code"] === null ? null : countOf(fields, "exit_code"),
    signal: fields["signal"] === null ? null : textOf(fields, "signal"),
    timed_out: booleanOf(fields, "timed_out"),
    last_seq: countOf(fields, "last_seq"),
    first_seq: countOf(fields, "first_seq"),
    truncated_bytes: countOf(fields, "truncated_bytes"),
    stdin,
    stdin_seq: countOf(fields, "stdin_seq"),
  };
}

/** Parses a part of the output of a run. Throws `Unreachable`. */
export function parseRunPage(value: unknown): RunPage {
  const fields = fieldsOf(value);
  return {
    run: parseRun(fields["run"]),
    chunks: listOf(fields, "chunks").map(parseChunk),
    missed_bytes: countOf(fields, "missed_bytes"),
    next_seq: countOf(fields, "next_seq"),
    is_complete: booleanOf(fields, "is_complete"),
  };
}

/** Parses the list of an agent's runs. Throws `Unreachable`. */
export function parseRunList(value: unknown): RunList {
  const fields = fieldsOf(value);
  return { instance_id: uuidOf(fields, "instance_id"), runs: listOf(fields, "runs").map(parseRun) };
}

function parseChunk(value: unknown): RunChunk {
  const fields = fieldsOf(value);
  const stream = fields["stream"];
  if (stream !== "stdout" && stream !== "stderr") throw malformed("stream");
  return { seq: countOf(fields, "seq"), stream, data: textOf(fields, "data") };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  if (typeof value === "object" && value !== null) return { ...value };
  throw malformed("an object");
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw malformed(name);
  return value;
}

function uuidOf(fields: Fields, name: string): string {
  const value = readUuid(textOf(fields, name));
  if (value === undefined) throw malformed(name);
  return value;
}

function booleanOf(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== "boolean") throw malformed(name);
  return value;
}

function countOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw malformed(name);
  return value;
}

function listOf(fields: Fields, name: string): readonly unknown[] {
  const value: unknown = fields[name];
  if (!Array.isArray(value) || value.length > maxItems) throw malformed(name);
  return value;
}

function malformed(what: string): Unreachable {
  return new Unreachable("The agent's answer is malformed.", {
    detail: `wanted ${what}`,
    facts: { code: "agent-failed", retryable: false, admitted: "unknown" },
  });
}
