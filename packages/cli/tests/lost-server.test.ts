import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { expect, it } from "vitest";

import { honest, openHostileServer } from "./support/hostile-server.ts";
import { sampleAgent, sampleBuild, sampleWorkspace } from "./support/sample-workspace.ts";

/* Commands that wait for a build while the server restarts: connections break, and the next ones work. */

const agent = { ...sampleAgent, status: "connecting", lifecycle_state: "created" };
const resources = [{ id: sampleWorkspace.id, name: "r", type: "t", agents: [agent] }];
const running = { ...sampleBuild, job: { ...sampleBuild.job, status: "running" } };

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/** Ends a log like a server: with close code 1000. */
function endLog(stream: Duplex): void {
  stream.write(Buffer.from([0x88, 2, 0x03, 0xe8]));
}

/**
 * A server that breaks the first stream of each kind once a build has started, and the responses that `breaks` names.
 */
async function openRestartingServer(
  transition: string,
  breaks: (method: string, path: string) => boolean = () => false,
) {
  const broken = new Set<string>();
  let hasBegun = false;
  const begun = { ...running, transition, job: { ...running.job, status: "pending" } };
  const status = transition === "start" ? "stopped" : "running";
  const before = { ...sampleWorkspace, latest_build: { ...sampleBuild, status } };
  const done = { ...sampleBuild, transition, resources };
  const server = await openHostileServer({
    socket: endLog,
    answer: (response, path, { method = "" }) => {
      const isRead = method === "GET" && hasBegun && !broken.has(path);
      if (isRead) broken.add(path);
      if (isRead || breaks(method, path)) {
        hasBegun ||= method === "POST";
        response.destroy();
      } else if (method === "POST") {
        hasBegun = true;
        sendJson(response, begun);
      } else if (!hasBegun && path === "/users/me/workspace/demo") sendJson(response, before);
      else if (path === `/workspacebuilds/${sampleBuild.id}`) sendJson(response, done);
      else if (path === `/workspaceagents/${sampleAgent.id}`) sendJson(response, sampleAgent);
      else honest(response, path);
    },
  });
  return { ...server, broken };
}

it.each([
  ["stop demo", "stop", "ada/demo is stopped\n"],
  ["delete demo -y", "delete", "ada/demo is deleted\n"],
  ["start demo", "start", "ada/demo is running\n"],
  [
    "stop demo --no-wait",
    "stop",
    "build 3 (stop) of ada/demo is queued; follow it with: slipway logs ada/demo -f\n",
  ],
])("completes %s when the server restarts meanwhile", async (line, transition, text) => {
  const server = await openRestartingServer(transition);
  const { code, out, err } = await server.run(line);
  expect({ code, out }, err).toEqual({ code: 0, out: text });
  expect(server.broken).not.toEqual(new Set());
});

it("says what may have happened if the answer to its request does not come", async () => {
  const server = await openRestartingServer("stop", (method) => method === "POST");
  const { code, err } = await server.run("stop demo");
  expect(code).toBe(1);
  expect(err).toBe(
    "error: the connection to the server broke before it answered; the build may have begun\n" +
      "see whether it has with: slipway show ada/demo\n",
  );
});
