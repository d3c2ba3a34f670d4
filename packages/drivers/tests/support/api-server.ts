import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import { type Clock, type JsonObject, objectOf, parseObject, systemClock } from "@slipway/runtime";
import { onTestFinished } from "vitest";

import { ClusterConnection } from "../../src/kubernetes/cluster-connection.ts";
import type { BuildContext } from "../../src/kubernetes/cluster-context.ts";
import { statefulSet } from "../../src/kubernetes/pod-owner.ts";

/* An API server that answers as each test wants, where no cluster is needed. */

export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: JsonObject;
}

export type ApiHandler = (request: ApiRequest, response: ServerResponse) => void;

export interface TestApiServer {
  readonly connection: ClusterConnection;
  /** The parts of a build of the deployment `d` in the namespace `n`. */
  readonly context: BuildContext;
  /** The lines that the context's log has got. */
  readonly lines: readonly string[];
  /** The requests so far, such as `GET /api/v1/pods`. */
  readonly requests: readonly string[];
  readonly url: string;
}

/** Opens a server whose handler answers every request; it is closed at the end of the test. */
export async function openApiServer(
  handle: ApiHandler,
  { clock = systemClock, patienceMs = 1_000 }: { clock?: Clock; patienceMs?: number } = {},
): Promise<TestApiServer> {
  const requests: string[] = [];
  const lines: string[] = [];
  const server = createServer((request, response) => {
    const { method = "", url: path = "" } = request;
    requests.push(`${method} ${path.replace(/\?.*/, "")}`);
    void text(request).then((sent) => {
      const url = new URL(path, "http://server");
      handle({ method, url, body: objectOf(parseObject(sent)) }, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`;
  const endpoint = {
    url,
    namespace: "n",
    ca: undefined,
    serverName: undefined,
    certificate: undefined,
    readToken: undefined,
  };
  const connection = new ClusterConnection(endpoint, { clock, patienceMs });
  const log = { write: (_level: string, _stage: string, line: string) => void lines.push(line) };
  onTestFinished(async () => {
    connection[Symbol.dispose]();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return {
    connection,
    context: { connection, deploymentId: "d", clock, log, owners: [statefulSet] },
    lines,
    requests,
    url,
  };
}

/** Answers with a status object, as an API server does when it refuses. */
export function refuse(response: ServerResponse, code: number, reason: string): void {
  response.statusCode = code;
  response.end(JSON.stringify({ kind: "Status", code, reason, message: reason }));
}

/**
 * Answers with the objects of a table by method and path, such as `GET /api/v1/pods`. A list is what an array gives; what
 * the table does not have is absent.
 */
export function answerFrom(table: Readonly<Record<string, unknown>>): ApiHandler {
  return ({ method, url }, response) => {
    const answer = table[`${method} ${url.pathname}`];
    if (answer === undefined) refuse(response, 404, "NotFound");
    else response.end(JSON.stringify(Array.isArray(answer) ? listWith(answer) : answer));
  };
}

function listWith(items: readonly unknown[]) {
  return { metadata: { resourceVersion: "1" }, items };
}
