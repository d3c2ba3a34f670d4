import type { IncomingHttpHeaders } from "node:http";

import { type Clock, settlesWithin } from "@slipway/runtime";

import { ApiError } from "../http/errors.ts";
import { type ApiRequest, type ApiRoute, jsonAnswer } from "../http/route.ts";
import { headAndTail, ProcessHead } from "./process-output.ts";
import { parseRunStart, parseUuid } from "./run-start.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";

interface ProcessRoutesNeeds {
  readonly runs: Runs;
  readonly clock: Clock;
}

const path = "/api/v0/processes";
/** The maximum time of a request that waits for the end of a process (docs/protocol/agent.md §8.4). */
const maxWaitMs = 5 * 60_000;
/** The time for which ended processes are listed, and the maximum number of listed ones. */
const listedMs = 5 * 60_000;
const maxListed = 10;

/** A run that was started by the route for processes. */
interface Process {
  readonly run: Run;
  readonly command: string;
  readonly isBackground: boolean;
  /** The chat that started it; only its requests find the process. */
  readonly chatId: string | undefined;
  readonly head: ProcessHead;
}

/** The routes of processes (docs/protocol/agent.md §8.4), which are runs with an output of the two ends. */
export function processRoutes({ runs, clock }: ProcessRoutesNeeds): readonly ApiRoute[] {
  const processes = new Map<string, Process>();

  const find = ({ params, headers }: ApiRequest): Process => {
    const found = processes.get(parseUuid(params["id"]) ?? "");
    if (found === undefined || !isOfChat(found, headers)) {
      throw new ApiError(404, "There is no such process.");
    }
    return found;
  };

  /** Forgets the processes that ended a while ago. */
  const sweep = (): void => {
    for (const [id, { run }] of processes) {
      const { exitedAtMs } = run;
      if (exitedAtMs !== undefined && clock.now() - exitedAtMs > listedMs) processes.delete(id);
    }
  };

  return [
    {
      kind: "json",
      method: "POST",
      path: `${path}/start`,
      handle: async ({ body, headers }) => {
        sweep();
        const { command, workdir, env, background } = parseStart(body);
        const chatId = chatOf(headers);
        const chat = chatId === undefined ? {} : { CODER_CHAT_ID: chatId };
        const run = await runs.start(
          parseRunStart({
            argv: ["sh", "-c", command],
            ...(workdir === "" ? {} : { workdir }),
            env: { ...env, ...chat },
          }),
        );
        const head = new ProcessHead(run);
        processes.set(run.id, { run, command, isBackground: background, chatId, head });
        return jsonAnswer({ id: run.id, started: true });
      },
    },
    {
      kind: "plain",
      method: "GET",
      path: `${path}/list`,
      handle: async ({ headers }) => {
        sweep();
        const listed = [...processes.values()]
          .filter((one) => isOfChat(one, headers))
          .toReversed()
          .toSorted((one, other) => Number(other.run.isRunning) - Number(one.run.isRunning))
          .slice(0, maxListed);
        return jsonAnswer({ processes: listed.map((one) => describe(one)) });
      },
    },
    {
      kind: "plain",
      method: "GET",
      path: `${path}/:id/output`,
      timeoutMs: maxWaitMs + 20_000,
      handle: async (request) => {
        const { run, head } = find(request);
        if (request.query.get("wait") === "true") {
          await settlesWithin(run.exited, maxWaitMs, clock, request.signal);
        }
        const { output, truncated } = await headAndTail(run, head);
        return jsonAnswer({
          output,
          ...(truncated === undefined ? {} : { truncated }),
          running: run.isRunning,
          ...exitCodeOf(run),
        });
      },
    },
    {
      kind: "json",
      method: "POST",
      path: `${path}/:id/signal`,
      handle: async (request) => {
        const { run } = find(request);
        const signal = signals.get(fieldOf(request.body, "signal"));
        if (signal === undefined) {
          throw new ApiError(400, "The signal is neither kill nor terminate.");
        }
        run.signal(signal);
        return jsonAnswer({ message: "The signal was sent." });
      },
    },
  ];
}

const signals = new Map<unknown, NodeJS.Signals>([
  ["kill", "SIGKILL"],
  ["terminate", "SIGTERM"],
]);

interface ProcessStart {
  readonly command: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, unknown>>;
  readonly background: boolean;
}

function parseStart(body: unknown): ProcessStart {
  const command = fieldOf(body, "command");
  if (typeof command !== "string" || command.trim() === "") {
    throw new ApiError(400, "The command is empty.");
  }
  const workdir = fieldOf(body, "workdir") ?? "";
  const env = fieldOf(body, "env") ?? {};
  if (typeof workdir !== "string" || typeof env !== "object" || env === null) {
    throw new ApiError(400, "The request for a process is invalid.");
  }
  return { command, workdir, env: { ...env }, background: fieldOf(body, "background") === true };
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
}

function chatOf(headers: IncomingHttpHeaders): string | undefined {
  return parseUuid(headers["coder-chat-id"]);
}

/** Returns whether a request may see a process: that of a chat sees only the chat's. */
function isOfChat({ chatId }: Process, headers: IncomingHttpHeaders): boolean {
  const asking = chatOf(headers);
  return asking === undefined || asking === chatId;
}

function describe({ run, command, isBackground }: Process): object {
  const { exitedAtMs } = run;
  return {
    id: run.id,
    command,
    workdir: run.describe().workdir,
    background: isBackground,
    running: run.isRunning,
    ...exitCodeOf(run),
    started_at_unix: seconds(run.startedAtMs),
    ...(exitedAtMs === undefined ? {} : { exited_at_unix: seconds(exitedAtMs) }),
  };
}

/** Returns the exit code of an ended run; -1 if a signal ended it. */
function exitCodeOf(run: Run): { readonly exit_code?: number } {
  return run.isRunning ? {} : { exit_code: run.describe().exit_code ?? -1 };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
