import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { runLimits } from "./request-limits.ts";

const text = (maxLength: number) => Type.String({ maxLength });

const TerminalSize = Type.Object({
  columns: Type.Integer({ minimum: 1, maximum: 65_535 }),
  rows: Type.Integer({ minimum: 1, maximum: 65_535 }),
});

/** A request for a run. Repeated with the same `id`, it returns the run that the first one started. */
export const RunRequest = Type.Object({
  /** Chosen by the caller (default: by the agent). */
  id: Type.Optional(Uuid),
  /** Starts nothing unless the agent is still this instance. */
  instance_id: Type.Optional(Uuid),
  /** Text for the user's login shell; either this or `argv`. */
  command: Type.Optional(text(runLimits.commandLength)),
  /** A program and its arguments. */
  argv: Type.Optional(
    Type.Array(text(runLimits.commandLength), { minItems: 1, maxItems: runLimits.arguments }),
  ),
  /** The working directory (default: the agent's). */
  workdir: Type.Optional(text(runLimits.pathLength)),
  env: Type.Optional(
    Type.Record(Type.String({ pattern: "^[^=\\u0000]{1,256}$" }), text(runLimits.valueLength), {
      maxProperties: runLimits.variables,
    }),
  ),
  /** The user of the machine (default: the agent's); another one only where the agent is root. */
  user: Type.Optional(text(256)),
  /** Runs the command on a terminal of this size; all output is then `stdout`. */
  tty: Type.Optional(TerminalSize),
  /** True to keep the input open for `stdin` (default: the input is empty). */
  stdin: Type.Optional(Type.Boolean()),
  /** The time after which the command gets SIGTERM, and five seconds later SIGKILL. */
  timeout_ms: Type.Optional(Type.Integer({ minimum: 1, maximum: runLimits.timeoutMs })),
});
export type RunRequest = Infer<typeof RunRequest>;

/** A command in a workspace, with its state. Positions count bytes of output, of both streams together. */
export const Run = Type.Object({
  id: Uuid,
  /** The instance of the agent: a new one for each start and each owner. */
  instance_id: Uuid,
  /** The text, or the words of `argv`; cut. */
  command: Type.String(),
  workdir: Type.String(),
  user: Type.String(),
  tty: Type.Boolean(),
  status: oneOf("running", "exited"),
  started_at: Timestamp,
  exited_at: nullable(Timestamp),
  /** Null while it runs, and if a signal ended it. */
  exit_code: nullable(Type.Integer()),
  /** The signal that ended it, such as `SIGKILL`. */
  signal: nullable(Type.String()),
  /** True if the time limit ended it. */
  timed_out: Type.Boolean(),
  /** The position after the last byte of output so far. */
  last_seq: Type.Integer(),
  /** The position of the first byte that is kept. */
  first_seq: Type.Integer(),
  /** The number of bytes of output that are not kept. */
  truncated_bytes: Type.Integer(),
  stdin: oneOf("none", "open", "closed"),
  /** The number of bytes of input that the command has been given. */
  stdin_seq: Type.Integer(),
});
export type Run = Infer<typeof Run>;

/** A piece of the output of one stream. */
export const RunChunk = Type.Object({
  /** The position after its last byte: attaching after it continues with the next byte. */
  seq: Type.Integer(),
  stream: oneOf("stdout", "stderr"),
  /** Text, or base64 if the request asks for it. */
  data: Type.String(),
});
export type RunChunk = Infer<typeof RunChunk>;

/** A part of the output of a run. */
export const RunPage = Type.Object({
  run: Run,
  chunks: Type.Array(RunChunk),
  /** The number of bytes between the requested position and the first chunk that were dropped. */
  missed_bytes: Type.Integer(),
  /** The position for the next request. */
  next_seq: Type.Integer(),
  /** True if the run has ended and nothing follows. */
  is_complete: Type.Boolean(),
});
export type RunPage = Infer<typeof RunPage>;

export const RunList = Type.Object({ instance_id: Uuid, runs: Type.Array(Run) });
export type RunList = Infer<typeof RunList>;

const AgentParams = Type.Object({ agent: Type.String() });
const RunParams = Type.Object({ agent: Type.String(), run: Type.String() });
const digits = Type.Optional(Type.String({ pattern: "^\\d{1,15}$" }));
const PageQuery = {
  /** The maximum number of bytes (default: 64 KiB). */
  limit: digits,
  /** The time to wait for output, or for the end of the run if nothing follows. */
  wait_ms: digits,
  /** `text` (default) or `base64`. */
  encoding: Type.Optional(Type.String({ enum: ["text", "base64"] })),
};
const scopes = ["workspace:ssh"] as const;

export const startRun = defineRoute({
  method: "POST",
  path: "/workspaceagents/:agent/runs",
  summary: "Run a command in a workspace",
  scopes,
  params: AgentParams,
  query: Type.Object({
    ...PageQuery,
    /** The end of the wait: `exit` (default), or `output` for a moment after the first output too. */
    wait_for: Type.Optional(Type.String({ enum: ["exit", "output"] })),
  }),
  body: RunRequest,
  maxBodyBytes: 2 * 1024 * 1024,
  requestsPerMinute: 60_000,
  status: 201,
  response: RunPage,
});

export const listRuns = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/runs",
  summary: "List the runs of a workspace, the newest first",
  scopes,
  params: AgentParams,
  query: Type.Object({
    /** The maximum number of runs (default: all that are kept). */
    limit: digits,
  }),
  response: RunList,
});

export const getRun = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/runs/:run",
  summary: "Get a run",
  scopes,
  params: RunParams,
  query: Type.Object({ instance_id: Type.Optional(Type.String()) }),
  response: Run,
});

export const getRunOutput = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/runs/:run/output",
  summary: "Get a part of the output of a run, or wait for it",
  scopes,
  params: RunParams,
  query: Type.Object({
    /** The position up to which the caller has the output (default: 0). */
    after: digits,
    instance_id: Type.Optional(Type.String()),
    ...PageQuery,
  }),
  response: RunPage,
});

export const attachRun = defineRoute({
  method: "GET",
  path: "/workspaceagents/:agent/runs/:run/attach",
  summary: "Follow the output of a run and write its input over a WebSocket",
  scopes,
  kind: "socket",
  params: RunParams,
  query: Type.Object({ after: digits, instance_id: Type.Optional(Type.String()) }),
  response: Type.Unknown(),
});

export const signalRun = defineRoute({
  method: "POST",
  path: "/workspaceagents/:agent/runs/:run/signal",
  summary: "Send a signal to the processes of a run",
  scopes,
  params: RunParams,
  body: Type.Object({
    /** A name such as `SIGINT` or `TERM`. */
    signal: text(16),
    instance_id: Type.Optional(Uuid),
  }),
  response: Run,
});

export const writeRunInput = defineRoute({
  method: "POST",
  path: "/workspaceagents/:agent/runs/:run/stdin",
  summary: "Write to the input of a run",
  scopes,
  params: RunParams,
  body: Type.Object({
    /** The position of the first byte: bytes that the command was already given are not given again (default: the end). */
    seq: Type.Optional(Type.Integer({ minimum: 0 })),
    data: Type.Optional(text(350_000)),
    /** The encoding of `data` (default: `text`). */
    encoding: Type.Optional(oneOf("text", "base64")),
    /** True to close the input after this. */
    close: Type.Optional(Type.Boolean()),
    instance_id: Type.Optional(Uuid),
  }),
  maxBodyBytes: 512 * 1024,
  response: Run,
});

/** The last output of a run that its agent leaves with the server when the workspace stops. */
export const keepRun = defineRoute({
  method: "PUT",
  path: "/workspaceagents/me/runs/:run",
  summary: "Keep the end of a run for callers that attach after the workspace has stopped",
  caller: "agent",
  params: Type.Object({ run: Type.String() }),
  body: Type.Object({
    run: Run,
    /** The kept output, in order. */
    chunks: Type.Array(RunChunk, { maxItems: 4_096 }),
  }),
  maxBodyBytes: 2 * 1024 * 1024,
  maxBodyValues: 20_000,
  status: 204,
  response: Type.Null(),
});
