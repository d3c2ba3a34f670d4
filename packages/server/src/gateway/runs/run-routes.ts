import { runLimits } from "@slipway/api/agents/request-limits";
import {
  attachRun,
  getRun,
  getRunOutput,
  listRuns,
  signalRun,
  startRun,
  writeRunInput,
} from "@slipway/api/agents/run-routes";
import { maxRunMessageBytes } from "@slipway/wire/services/run-frames";
import type { FastifyRequest } from "fastify";

import { Invalid } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { keepAlive } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type AgentHttp, type AgentJsonCall, queryText } from "../agent-http/agent-http.ts";
import { bridgeRun } from "./bridge-run.ts";
import { parseRun, parseRunList, parseRunPage } from "./parse-runs.ts";
import { requireRunnable, type RunAccessNeeds, type RunPlace } from "./run-access.ts";
import type { RunAudit } from "./run-audit.ts";

interface RunNeeds extends RunAccessNeeds {
  readonly agents: AgentHttp;
  readonly audit: Pick<RunAudit, "started">;
}

const runsPath = "/api/v0/runs";
/** The time beyond the wait of a request. */
const extraMs = 20_000;
/** A page in base64 with its description. */
const maxAnswerBytes = 2 * runLimits.pageBytes + 1024 * 1024;

/** Adds the routes on which users run commands in workspaces (docs/runs.md). */
export function addRunRoutes(routes: Routes, needs: RunNeeds): void {
  const { agents, audit } = needs;

  /** Sends a request of a user to an agent, until the user disconnects. */
  const ask = (
    raw: FastifyRequest,
    { agentId }: RunPlace,
    call: Omit<AgentJsonCall, "signal" | "maxAnswerBytes">,
  ): Promise<unknown> =>
    routes.waitFor(raw, (signal) => agents.json(agentId, { ...call, maxAnswerBytes, signal }));
  const requireOwn = (user: UserCaller, agent: string): Promise<RunPlace> =>
    requireRunnable(needs, user, agent);

  routes.user(startRun, async ({ params, query, body, raw }, user) => {
    if ((body.command === undefined) === (body.argv === undefined)) {
      throw new Invalid("Give either a command or argv.", {
        facts: { code: "invalid-request", retryable: false, admitted: "no" },
      });
    }
    const place = await requireOwn(user, params.agent);
    const answer = await ask(raw, place, {
      method: "POST",
      path: `${runsPath}${queryText(query)}`,
      json: body,
      // With an id, the agent starts it once.
      isRepeatable: body.id !== undefined,
      timeoutMs: waitOf(query) + extraMs,
    });
    const page = parseRunPage(answer);
    const { id: runId, instance_id: instance, command, user: runAs } = page.run;
    // An agent that names a run of before hides no other: only ids that callers choose are recorded once.
    const chosenFor = body.id?.toLowerCase() === runId ? instance : undefined;
    await audit.started(user, place, { runId, chosenFor, command, user: runAs });
    return page;
  });

  routes.user(listRuns, async ({ params, query, raw }, user) => {
    const place = await requireOwn(user, params.agent);
    const path = `${runsPath}${queryText(query)}`;
    return parseRunList(await ask(raw, place, { method: "GET", path }));
  });

  routes.user(getRun, async ({ params, query, raw }, user) => {
    const place = await requireOwn(user, params.agent);
    const path = `${pathOf(params.run)}${queryText(query)}`;
    return parseRun(await ask(raw, place, { method: "GET", path }));
  });

  routes.user(getRunOutput, async ({ params, query, raw }, user) => {
    const place = await requireOwn(user, params.agent);
    const path = `${pathOf(params.run)}/output${queryText(query)}`;
    const timeoutMs = waitOf(query) + extraMs;
    return parseRunPage(await ask(raw, place, { method: "GET", path, timeoutMs }));
  });

  for (const [route, name] of [
    [signalRun, "signal"],
    [writeRunInput, "stdin"],
  ] as const) {
    routes.user(route, async ({ params, body, raw }, user) => {
      const place = await requireOwn(user, params.agent);
      const path = `${pathOf(params.run)}/${name}`;
      return parseRun(await ask(raw, place, { method: "POST", path, json: body }));
    });
  }

  routes.userSocket(attachRun, {
    maxMessageBytes: maxRunMessageBytes,
    prepare: async ({ params, query, raw }, user) => {
      const place = await requireOwn(user, params.agent);
      const path = pathOf(params.run);
      // Refuses what the socket would: a plain answer tells programs why.
      const run = parseRun(
        await ask(raw, place, { method: "GET", path: `${path}${queryText(query)}` }),
      );
      if (Number(query.after ?? 0) > run.last_seq) {
        throw new Invalid("The run has no output at this position yet.", {
          facts: { code: "seq-in-future", retryable: false, admitted: "no" },
        });
      }
      return { agentId: place.agentId, path: `${path}/attach${queryText(query)}` };
    },
    serve: async (socket, { agentId, path }) => {
      // Input waits meanwhile.
      socket.raw.pause();
      keepAlive(socket);
      const agent = await agents.openSocket(agentId, {
        path,
        maxMessageBytes: maxRunMessageBytes,
        signal: socket.signal,
      });
      await bridgeRun(socket, agent);
    },
  });
}

function pathOf(run: string): string {
  return `${runsPath}/${requireUuid(run)}`;
}

function waitOf({ wait_ms: waitMs = "0" }: { readonly wait_ms?: string }): number {
  return Math.min(Number(waitMs), runLimits.waitMs);
}
