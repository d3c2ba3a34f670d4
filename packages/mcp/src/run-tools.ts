import {
  getRunOutput,
  type RunPage,
  signalRun,
  startRun,
  writeRunInput,
} from "@slipway/api/agents/run-routes";
import { type Static, Type } from "typebox";

import {
  defaultWaitSeconds,
  maxOutputBytes,
  maxRunWaitSeconds,
  outputPageBytes,
} from "./limits.ts";
import { RunText } from "./run-text.ts";
import { defineTool, type ToolContext } from "./tool.ts";
import { AgentArgument, findAgent } from "./workspace-reference.ts";

const RunArgument = Type.String({ description: "The ID of the run.", minLength: 1, maxLength: 64 });

const WaitArgument = Type.Optional(
  Type.Integer({
    description: `Seconds to wait for its end (default: ${defaultWaitSeconds}, 0: return at once).`,
    minimum: 0,
    maximum: maxRunWaitSeconds,
  }),
);

const LimitArgument = Type.Optional(
  Type.Integer({
    description: `The maximum number of bytes of output to return (default: ${outputPageBytes}).`,
    minimum: 1,
    maximum: maxOutputBytes,
  }),
);

/** The part of a run's output that a call returns, and the state of the run. */
const RunOutput = Type.Object({
  run: Type.String({ description: "The ID of the run, for the other tools." }),
  status: Type.String({ description: "running or exited." }),
  exit_code: Type.Union([Type.Integer(), Type.Null()]),
  signal: Type.Union([Type.String(), Type.Null()]),
  timed_out: Type.Boolean(),
  stdout: Type.String(),
  stderr: Type.String(),
  next: Type.Integer({ description: "Pass it to read_output as after for what follows." }),
  missed_bytes: Type.Integer({ description: "Bytes before this output that are no longer kept." }),
  is_complete: Type.Boolean({
    description: "True if the run has ended and all its output was returned.",
  }),
});

export const runCommand = defineTool({
  name: "run_command",
  stockName: "coder_workspace_bash",
  title: "Run a command",
  description:
    "Run a command in a workspace and wait for it a while. It outlives the call: if is_complete is false, follow it with " +
    "read_output, or end it with kill_process.",
  traits: { isReadOnly: false, isDestructive: true, isIdempotent: false },
  scopes: ["workspace:read", "workspace:ssh"],
  input: Type.Object({
    workspace: AgentArgument,
    command: Type.String({
      description: "Text for the login shell.",
      minLength: 1,
      maxLength: 100_000,
    }),
    workdir: Type.Optional(
      Type.String({ description: "The working directory.", maxLength: 4_096 }),
    ),
    env: Type.Optional(
      Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 32_768 }), {
        maxProperties: 256,
      }),
    ),
    has_stdin: Type.Optional(
      Type.Boolean({
        description: "True to keep its input open for write_stdin (default: empty).",
      }),
    ),
    timeout_seconds: Type.Optional(
      Type.Integer({
        description: "Seconds after which it is ended.",
        minimum: 1,
        maximum: 604_800,
      }),
    ),
    wait_seconds: WaitArgument,
    limit: LimitArgument,
  }),
  output: RunOutput,
  run: async (input, context) => {
    const { agent } = await findAgent(input.workspace, context);
    const untilMs = waitUntil(input.wait_seconds, context);
    const started = await context.api.call(startRun, {
      params: { agent: agent.id },
      query: pageQuery(input.limit, untilMs, context),
      body: {
        // Repeating the request after a lost answer returns the same run.
        id: crypto.randomUUID(),
        command: input.command,
        ...(input.workdir === undefined ? {} : { workdir: input.workdir }),
        ...(input.env === undefined ? {} : { env: input.env }),
        ...(input.has_stdin === undefined ? {} : { stdin: input.has_stdin }),
        ...(input.timeout_seconds === undefined
          ? {}
          : { timeout_ms: input.timeout_seconds * 1000 }),
      },
      signal: context.signal,
    });
    return follow(started, { agentId: agent.id, untilMs, limit: input.limit }, context);
  },
});

export const readOutput = defineTool({
  name: "read_output",
  title: "Read the output of a run",
  description: "Return what a run has printed after a position, and wait for more.",
  traits: { isReadOnly: true, isDestructive: false, isIdempotent: true },
  scopes: ["workspace:read", "workspace:ssh"],
  input: Type.Object({
    workspace: AgentArgument,
    run: RunArgument,
    after: Type.Optional(
      Type.Integer({ description: "The next of an earlier call (default: 0).", minimum: 0 }),
    ),
    wait_seconds: WaitArgument,
    limit: LimitArgument,
  }),
  output: RunOutput,
  run: async ({ workspace, run, after = 0, wait_seconds, limit }, context) => {
    const { agent } = await findAgent(workspace, context);
    const untilMs = waitUntil(wait_seconds, context);
    const target = { agentId: agent.id, untilMs, limit };
    return follow(await readPage(run, after, target, context), target, context);
  },
});

export const writeStdin = defineTool({
  name: "write_stdin",
  title: "Write to a run's input",
  description: "Write text to the input of a run that was started with has_stdin.",
  traits: { isReadOnly: false, isDestructive: false, isIdempotent: false },
  scopes: ["workspace:read", "workspace:ssh"],
  input: Type.Object({
    workspace: AgentArgument,
    run: RunArgument,
    text: Type.String({ description: "A line usually ends with \\n.", maxLength: 300_000 }),
    is_last: Type.Optional(Type.Boolean({ description: "True to close the input after it." })),
  }),
  output: Type.Object({
    run: Type.String(),
    status: Type.String(),
    stdin: Type.String({ description: "open, closed, or none." }),
  }),
  run: async ({ workspace, run: id, text, is_last = false }, context) => {
    const { agent } = await findAgent(workspace, context);
    const params = { agent: agent.id, run: id };
    const body = { data: text, close: is_last };
    const run = await context.api.call(writeRunInput, { params, body, signal: context.signal });
    return { run: run.id, status: run.status, stdin: run.stdin };
  },
});

export const killProcess = defineTool({
  name: "kill_process",
  title: "End a run",
  description: "Send a signal to a run and everything that it started.",
  traits: { isReadOnly: false, isDestructive: true, isIdempotent: true },
  scopes: ["workspace:read", "workspace:ssh"],
  input: Type.Object({
    workspace: AgentArgument,
    run: RunArgument,
    signal: Type.Optional(
      Type.String({
        description: "Such as SIGINT (default: SIGKILL).",
        minLength: 1,
        maxLength: 16,
      }),
    ),
  }),
  output: Type.Object({ run: Type.String(), status: Type.String() }),
  run: async ({ workspace, run: id, signal: name = "SIGKILL" }, context) => {
    const { agent } = await findAgent(workspace, context);
    const params = { agent: agent.id, run: id };
    const { signal } = context;
    const run = await context.api.call(signalRun, { params, body: { signal: name }, signal });
    return { run: run.id, status: run.status };
  },
});

interface FollowedRun {
  readonly agentId: string;
  readonly untilMs: number;
  readonly limit: number | undefined;
}

/** A page has room for a whole character. */
const minPageBytes = 4;
/** The longest time that the server waits for output in one request. */
const longestWaitMs = 25_000;

function waitUntil(seconds: number | undefined, { clock }: ToolContext): number {
  return clock.monotonic() + (seconds ?? defaultWaitSeconds) * 1000;
}

function pageQuery(limit: number | undefined, untilMs: number, { clock }: ToolContext) {
  const waitMs = Math.min(Math.max(0, Math.round(untilMs - clock.monotonic())), longestWaitMs);
  const bytes = Math.max(limit ?? outputPageBytes, minPageBytes);
  return { limit: String(bytes), wait_ms: String(waitMs), encoding: "base64" };
}

function readPage(
  run: string,
  after: number,
  { agentId, untilMs, limit }: FollowedRun,
  context: ToolContext,
): Promise<RunPage> {
  const query = { after: String(after), ...pageQuery(limit, untilMs, context) };
  const { api, signal } = context;
  return api.call(getRunOutput, { params: { agent: agentId, run }, query, signal });
}

/** Collects the output of a run until it ends, enough has come, or the time is over. */
async function follow(
  first: RunPage,
  followed: FollowedRun,
  context: ToolContext,
): Promise<Static<typeof RunOutput>> {
  const output = new RunText();
  const limit = followed.limit ?? outputPageBytes;
  let page = first;
  let missedBytes = 0;
  for (;;) {
    missedBytes += page.missed_bytes;
    for (const chunk of page.chunks) output.add(chunk);
    const left = limit - output.size;
    const isLate = context.clock.monotonic() >= followed.untilMs;
    if (page.is_complete || left <= 0 || isLate) break;
    page = await readPage(page.run.id, page.next_seq, { ...followed, limit: left }, context);
  }
  const { id: run, status, exit_code, signal, timed_out } = page.run;
  const unfinished = page.is_complete ? 0 : output.unfinishedBytes;
  return {
    run,
    status,
    exit_code,
    signal,
    timed_out,
    ...output.read(unfinished),
    next: page.next_seq - unfinished,
    missed_bytes: missedBytes,
    is_complete: page.is_complete,
  };
}
