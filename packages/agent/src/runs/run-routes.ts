import { runLimits } from "@slipway/api/agents/request-limits";
import type { Clock } from "@slipway/runtime";
import { maxRunMessageBytes } from "@slipway/wire/services/run-frames";

import { type ApiRequest, type ApiRoute, jsonAnswer } from "../http/route.ts";
import { attachRun } from "./attach-run.ts";
import { runError } from "./errors.ts";
import { type Encoding, readPage, requirePosition } from "./run-page.ts";
import { parseRunStart, parseUuid } from "./run-start.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import { parseSignal } from "./signals.ts";

interface RunRoutesNeeds {
  readonly runs: Runs;
  readonly clock: Clock;
}

const path = "/api/v0/runs";
const defaultPageBytes = 64 * 1024;
const maxBodyBytes = 2 * 1024 * 1024;
/** The time for a page: the longest wait, and the rest of the request. */
const timeoutMs = runLimits.waitMs + 20_000;

/** The routes of runs (docs/runs.md#agent). */
export function runRoutes({ runs, clock }: RunRoutesNeeds): readonly ApiRoute[] {
  return [
    {
      kind: "json",
      method: "POST",
      path,
      maxBodyBytes,
      timeoutMs,
      handle: async ({ body, query, signal }) => {
        const run = await runs.start(parseRunStart(body));
        const waitFor = query.get("wait_for") === "output" ? "exit-or-output" : "exit";
        const page = { after: 0, waitFor, ...pageOf(query) } as const;
        return jsonAnswer(await readPage(run, page, { clock, signal }), { status: 201 });
      },
    },
    {
      kind: "plain",
      method: "GET",
      path,
      handle: async ({ query }) => {
        const limit = numberOf(query, "limit", Number.MAX_SAFE_INTEGER);
        const listed = runs
          .list()
          .slice(0, limit)
          .map((run) => run.describe());
        return jsonAnswer({ instance_id: runs.instanceId, runs: listed });
      },
    },
    {
      kind: "plain",
      method: "GET",
      path: `${path}/:run`,
      handle: async (request) => jsonAnswer(findRun(runs, request).describe()),
    },
    {
      kind: "plain",
      method: "GET",
      path: `${path}/:run/output`,
      timeoutMs,
      handle: async (request) => {
        const { query, signal } = request;
        const run = findRun(runs, request);
        const after = numberOf(query, "after", Number.MAX_SAFE_INTEGER) ?? 0;
        const page = { after, waitFor: "output", ...pageOf(query) } as const;
        return jsonAnswer(await readPage(run, page, { clock, signal }));
      },
    },
    {
      kind: "socket",
      path: `${path}/:run/attach`,
      maxMessageBytes: maxRunMessageBytes,
      open: async (request) => {
        const run = findRun(runs, request);
        const after = numberOf(request.query, "after", Number.MAX_SAFE_INTEGER) ?? 0;
        requirePosition(run, after);
        return (socket) => attachRun(run, socket, after);
      },
    },
    {
      kind: "json",
      method: "POST",
      path: `${path}/:run/signal`,
      handle: async (request) => {
        const body = fieldsOf(request.body);
        const run = findRun(runs, request, body["instance_id"]);
        run.signal(parseSignal(typeof body["signal"] === "string" ? body["signal"] : ""));
        return jsonAnswer(run.describe());
      },
    },
    {
      kind: "json",
      method: "POST",
      path: `${path}/:run/stdin`,
      maxBodyBytes,
      handle: async (request) => {
        const body = fieldsOf(request.body);
        const run = findRun(runs, request, body["instance_id"]);
        writeInput(run, body);
        return jsonAnswer(run.describe());
      },
    },
  ];
}

/** Finds the run that a request names. Throws `ApiError`. */
function findRun(runs: Runs, { params, query }: ApiRequest, instanceId?: unknown): Run {
  const id = parseUuid(params["run"]);
  if (id === undefined) throw runError("not-found", "There is no such run.");
  const named = instanceId ?? query.get("instance_id") ?? undefined;
  // What is no UUID names no instance.
  return runs.find(id, named === undefined ? undefined : (parseUuid(named) ?? ""));
}

/** Writes to the input of a run, and closes it if asked to. Throws `ApiError`. */
function writeInput(run: Run, body: Readonly<Record<string, unknown>>): void {
  const { input } = run;
  if (input === undefined) throw runError("input-closed", "The run has no input.");
  const { seq = input.received, data = "", encoding = "text", close = false } = body;
  const isPosition = typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0;
  const isData = typeof data === "string" && (encoding === "text" || encoding === "base64");
  if (!isPosition || !isData || typeof close !== "boolean") {
    throw runError("invalid-request", "The input is invalid.");
  }
  const bytes = Buffer.from(data, encoding === "text" ? "utf8" : "base64");
  input.write(seq, bytes);
  if (close) input.close(seq + bytes.length);
}

interface PageQuery {
  readonly maxBytes: number;
  readonly waitMs: number;
  readonly encoding: Encoding;
}

function pageOf(query: URLSearchParams): PageQuery {
  return {
    maxBytes: numberOf(query, "limit", runLimits.pageBytes) ?? defaultPageBytes,
    waitMs: numberOf(query, "wait_ms", runLimits.waitMs) ?? 0,
    encoding: query.get("encoding") === "base64" ? "base64" : "text",
  };
}

/** Reads a number from the query, limited to a maximum. Throws `ApiError`. */
function numberOf(query: URLSearchParams, name: string, max: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw runError("invalid-request", `The query parameter ${name} is not a number.`);
  }
  return Math.min(Number(text), max);
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === "object" && body !== null) return { ...body };
  throw runError("invalid-request", "The body of the request is not a JSON object.");
}
