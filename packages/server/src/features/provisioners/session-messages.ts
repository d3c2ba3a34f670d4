import { type DriverLogLevel, maxSteps, type StageTiming } from "@slipway/drivers";
import type { ValidateFunction } from "ajv";

import { createValidator } from "../../platform/fields/validation.ts";

/** The version of the protocol (docs/protocol/provisioners.md §1). */
export const protocolVersion = "1";

/** The largest message in bytes, and the largest piece of a part, which base64 makes longer by a third. */
export const maxMessageBytes = 512 * 1024;
export const maxPieceBytes = 192 * 1024;

/** The methods of a driver that a provisioner carries out. */
export const callMethods = [
  "read",
  "parameters",
  "start",
  "stop",
  "delete",
  "claim",
  "settle",
] as const;
export type CallMethod = (typeof callMethods)[number];

/** The parts of a call and of its answer, which are sent in pieces (docs/protocol/provisioners.md §3). */
export const partNames = ["input", "archive", "state", "notes", "result"] as const;
export type PartName = (typeof partNames)[number];

/** The bytes of a call or of its answer. */
export type Parts = Readonly<Partial<Record<PartName, Uint8Array>>>;

/** Returns parts with their names, in the order in which they are sent. */
export function listParts(parts: Parts): readonly (readonly [PartName, Uint8Array])[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the record
  return Object.entries(parts) as readonly (readonly [PartName, Uint8Array])[];
}

export interface PieceMessage {
  readonly type: "piece";
  readonly call: string;
  readonly part: PartName;
  /** Bytes in base64. */
  readonly data: string;
}

/** A message of the server. */
export type ServerMessage =
  | PieceMessage
  /** Begins a call, or continues one for the same job and method that an earlier session began. */
  | {
      readonly type: "call";
      readonly call: string;
      readonly job: string;
      readonly method: CallMethod;
    }
  | { readonly type: "abort"; readonly call: string; readonly reason: string }
  | AnswerMessage
  /** The provisioner takes no more jobs, and has none. */
  | { readonly type: "drained" }
  | { readonly type: "alive" };

/** The answer to a request. */
export interface AnswerMessage {
  readonly type: "answer";
  readonly call: string;
  readonly request: number;
  readonly error?: string;
  /** True if the attempt has lost its job. */
  readonly isLost?: boolean;
  /** True if there is no room for a large state at the moment. */
  readonly isFull?: boolean;
  /** The time since the lease was last renewed. */
  readonly renewedAgoMs?: number;
}

/** A message of a provisioner. */
export type ProvisionerMessage =
  | PieceMessage
  | {
      readonly type: "log";
      readonly call: string;
      readonly lines: readonly (readonly [level: DriverLogLevel, stage: string, line: string])[];
    }
  | MeasuredMessage
  | RequestMessage
  | EndMessage
  | { readonly type: "drain" }
  | { readonly type: "alive" };

/** The duration of a stage, when it has ended. */
export interface MeasuredMessage {
  readonly type: "measured";
  readonly call: string;
  readonly timing: StageTiming;
}

/** The subjects of requests (docs/protocol/provisioners.md §4). */
const requestSubjects = ["keep", "room", "hold", "renewal", "release"] as const;
type RequestSubject = (typeof requestSubjects)[number];

/** A request about the lease or the state of a call's build. */
export interface RequestMessage {
  readonly type: "request";
  readonly call: string;
  readonly request: number;
  readonly what: RequestSubject;
  readonly lastsMs?: number;
  readonly patienceMs?: number;
}

export interface EndMessage {
  readonly type: "end";
  readonly call: string;
  /** Undefined if the parts are the result. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** The form of a value in JSON Schema. */
export type Form = object;

/** Returns the form of an object with these fields; it may have others. */
export function recordForm(
  required: Readonly<Record<string, Form>>,
  optional: Readonly<Record<string, Form>> = {},
): Form {
  const properties = { ...required, ...optional };
  return { type: "object", properties, required: Object.keys(required) };
}

const validator = createValidator();
const uuid = { type: "string", format: "uuid" };
const count = { type: "integer", minimum: 0 };
const textUpTo = (maxLength: number): Form => ({ type: "string", maxLength });

function messageOf(
  type: string,
  required: Readonly<Record<string, Form>>,
  optional: Readonly<Record<string, Form>> = {},
): readonly [string, ValidateFunction] {
  return [type, validator.compile(recordForm(required, optional))];
}

const line = {
  type: "array",
  minItems: 3,
  maxItems: 3,
  items: { type: "string" },
};
const maxLines = 1_000;
/** The longest lease that a build may hold: 15 minutes. */
const leaseMs = { type: "integer", minimum: 1, maximum: 900_000 };

/** Milliseconds since the epoch. */
const time = { type: "number", minimum: 0, maximum: 8.64e15 };
const times = { startedMs: time, endedMs: time };
const step = { source: textUpTo(256), action: textUpTo(256), resource: textUpTo(256), ...times };
const timing = recordForm({
  stage: { enum: ["init", "plan", "graph", "apply"] },
  hasFailed: { type: "boolean" },
  ...times,
  steps: { type: "array", maxItems: maxSteps, items: recordForm(step) },
});

/** The forms of what provisioners send. */
const forms = new Map([
  messageOf("piece", { call: uuid, part: { enum: [...partNames] }, data: { type: "string" } }),
  messageOf("log", { call: uuid, lines: { type: "array", maxItems: maxLines, items: line } }),
  messageOf(
    "request",
    { call: uuid, request: count, what: { enum: [...requestSubjects] } },
    { lastsMs: leaseMs, patienceMs: leaseMs },
  ),
  messageOf(
    "end",
    { call: uuid },
    {
      error: recordForm({ code: textUpTo(64), message: textUpTo(65_536) }),
    },
  ),
  messageOf("measured", { call: uuid, timing }),
  messageOf("drain", {}),
  messageOf("alive", {}),
]);

/** Parses a message of a provisioner; throws for any other text. */
export function parseProvisionerMessage(text: string): ProvisionerMessage {
  const message: unknown = JSON.parse(text);
  const type = typeof message === "object" && message !== null && "type" in message && message.type;
  const check = forms.get(String(type));
  if (check === undefined) throw new TypeError(`unknown message "${String(type).slice(0, 40)}"`);
  if (!check(message)) {
    const [fault] = check.errors ?? [];
    throw new TypeError(`${String(type)}: ${fault?.instancePath ?? ""} ${fault?.message ?? ""}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked against its form
  return message as ProvisionerMessage;
}

/** Parses a message of the server, which the provisioner trusts. */
export function parseServerMessage(text: string): ServerMessage {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from a server of the same protocol
  return JSON.parse(text) as ServerMessage;
}
