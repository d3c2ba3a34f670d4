import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Readable } from "node:stream";

import {
  editFile,
  listFiles,
  makeDirectory,
  moveFile,
  readArchive,
  readFile,
  removeFile,
  searchFiles,
  statFile,
  writeArchive,
  writeFile,
} from "@slipway/api/agents/file-routes";
import type { BodyOf, Route } from "@slipway/api/contract/route";
import { readBounded } from "@slipway/runtime";

import { Unreachable } from "../../platform/errors/errors.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { AgentHttp } from "../agent-http/agent-http.ts";
import { checkedAnswer } from "./checked-answer.ts";
import {
  agentPath,
  auditChange,
  type FileAccessNeeds,
  type FileChangeNote,
  requireFiles,
} from "./file-access.ts";
import { addWatchRoute } from "./watch-route.ts";

export interface FileRouteNeeds extends FileAccessNeeds {
  readonly agents: AgentHttp;
}

/** The time for an agent to search, or to remove a tree. */
const longTimeoutMs = 100_000;
/** The time for an agent to write a body to its end, once that has arrived. */
const writeTimeoutMs = 100_000;
/** The maximum size of an agent's answer in JSON, in bytes: a page of a directory, or the matches of a search. */
const maxAnswerBytes = 8 * 1024 * 1024;
/** The headers of conditions, and those of contents, that pass through. */
const requestHeaders = ["content-length", "if-match", "if-none-match"] as const;
const answerHeaders = ["content-length", "etag"] as const;

/** Adds the routes on which users use the files of their workspaces; the agents do the work. */
export function addFileRoutes(routes: Routes, needs: FileRouteNeeds): void {
  addJsonRoute(routes, needs, listFiles);
  addJsonRoute(routes, needs, statFile);
  addJsonRoute(routes, needs, searchFiles);
  addJsonRoute(routes, needs, editFile, ({ path }) => ({ operation: "edit", path }));
  addJsonRoute(routes, needs, moveFile, ({ from, to }) => ({
    operation: "move",
    path: `${from} → ${to}`,
  }));
  addJsonRoute(routes, needs, removeFile, ({ path }) => ({ operation: "remove", path }));
  addJsonRoute(routes, needs, makeDirectory, ({ path }) => ({
    operation: "make directory",
    path,
  }));
  addReadRoute(routes, needs, readFile);
  addReadRoute(routes, needs, readArchive);
  addWriteRoute(routes, needs, writeFile, "write");
  addWriteRoute(routes, needs, writeArchive, "unpack");
  addWatchRoute(routes, needs);
}

/** Adds a route whose request and answer are JSON. */
function addJsonRoute<R extends Route>(
  routes: Routes,
  needs: FileRouteNeeds,
  route: R,
  change?: (body: BodyOf<R>) => FileChangeNote,
): void {
  routes.user(route, async (request, user) => {
    const { params, query, body, raw } = request;
    const agentId = await requireFiles(needs, user, agentOf(params));
    if (change !== undefined) await auditChange(needs, user, agentId, change(body));
    const answer = await routes.waitFor(raw, (signal) =>
      needs.agents.json(agentId, {
        method: route.method === "GET" ? "GET" : "POST",
        path: agentPath(route, query),
        ...(route.method === "GET" ? {} : { json: body }),
        timeoutMs: longTimeoutMs,
        maxAnswerBytes,
        signal,
      }),
    );
    return checkedAnswer(route, answer);
  });
}

/** Adds a route whose answer is a content. */
function addReadRoute(
  routes: Routes,
  needs: FileRouteNeeds,
  route: typeof readFile | typeof readArchive,
): void {
  routes.userStream(route, {
    prepare: ({ params }, user) => requireFiles(needs, user, params.agent),
    serve: async ({ query, raw, reply, signal }, agentId) => {
      const answer = await needs.agents.open(agentId, {
        method: "GET",
        path: agentPath(route, query),
        headers: chosen(raw.headers, requestHeaders),
        signal,
      });
      reply.headers(chosen(answer.headers, answerHeaders));
      // No content of a workspace becomes a page of the server.
      reply.header("Content-Type", "application/octet-stream");
      return answer;
    },
  });
}

/** Adds a route whose body is a content. */
function addWriteRoute(
  routes: Routes,
  needs: FileRouteNeeds,
  route: typeof writeFile | typeof writeArchive,
  operation: FileChangeNote["operation"],
): void {
  routes.userStream(route, {
    prepare: async ({ params, query }, user) => {
      const agentId = await requireFiles(needs, user, params.agent);
      await auditChange(needs, user, agentId, { operation, path: query.path });
      return agentId;
    },
    serve: async ({ query, body, raw, signal }, agentId) => {
      const answer = await needs.agents.open(agentId, {
        method: "PUT",
        path: agentPath(route, query),
        headers: chosen(raw.headers, requestHeaders),
        // A failed request to the agent leaves the connection of the client for the answer.
        body: Readable.from(body.iterator({ destroyOnReturn: false }), { objectMode: false }),
        timeoutMs: writeTimeoutMs,
        signal,
      });
      return checkedAnswer(route, await readJson(answer));
    },
  });
}

function agentOf(params: unknown): string {
  const agent: unknown =
    typeof params === "object" && params !== null && Reflect.get(params, "agent");
  if (typeof agent === "string") return agent;
  throw new TypeError("the route has no agent");
}

/** Returns the chosen headers, as far as they are there. */
function chosen(
  headers: IncomingHttpHeaders,
  names: readonly (keyof IncomingHttpHeaders & string)[],
): Readonly<Record<string, string>> {
  const found = names.flatMap((name) => {
    const value = headers[name];
    return typeof value === "string" ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}

async function readJson(answer: IncomingMessage): Promise<unknown> {
  const body = await readBounded(answer, maxAnswerBytes);
  try {
    return JSON.parse(body?.toString() ?? "");
  } catch (cause) {
    throw new Unreachable("The agent's answer is malformed.", { detail: "it is not JSON", cause });
  }
}
