import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sampleWorkspaceId } from "@slipway/testkit/compliance";
import { expect, it, onTestFinished } from "vitest";

import {
  boxAgent,
  boxBuild,
  boxContainer,
  namespace,
  openDriver,
  signal,
  silent,
} from "../../tests/kubernetes/support/cluster-stage.ts";
import { openApiServer, refuse } from "../../tests/support/api-server.ts";
import type { KubernetesDriverOptions } from "./kubernetes-options.ts";
import { agentAnnotations, agentLabels, agentObjectName } from "./pod-marks.ts";

/* Which of the pods that there are the driver takes for those of a build. */

const place = { deploymentId: "test-deployment", workspaceId: sampleWorkspaceId };
const name = agentObjectName(place, "main");
const set = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`;
const { token } = boxAgent();
const running = { running: { startedAt: "2026-11-30T12:00:00Z" } };

function setOf(own: string, id = "agent-main") {
  const annotations = agentAnnotations({ id, token: own }, "build-0");
  return { metadata: { name, uid: "set", labels: agentLabels(place, "main"), annotations } };
}

function podOf(own: string, state: object = running, metadata: object = {}) {
  return {
    metadata: { ...setOf(own).metadata, name: `${name}-0`, uid: `pod of ${own}`, ...metadata },
    status: { containerStatuses: [{ name: "workspace", state }] },
  };
}

interface Objects {
  readonly sets?: readonly object[];
  readonly pods?: readonly object[];
}

/** A cluster whose sets make a pod each time that one is applied, unless `isFull`. */
async function openCluster(
  { sets = [], pods = [] }: Objects,
  { isFull = false, ...options }: Partial<KubernetesDriverOptions> & { isFull?: boolean } = {},
) {
  const watches: ServerResponse[] = [];
  let created = "";
  const server = await openApiServer(({ method, url, body }, response) => {
    const [kind = ""] = url.pathname.split("/").slice(-1);
    if (url.searchParams.get("watch") === "1") {
      response.write("\n");
      if (kind !== "pods") return;
      response.write(created);
      watches.push(response);
    } else if (kind === "selfsubjectaccessreviews") response.end('{"status":{"allowed":true}}');
    else if (kind === "v1beta1") refuse(response, 404, "NotFound");
    else if (method === "GET") {
      const items = { statefulsets: sets, pods }[kind] ?? [];
      response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items }));
    } else {
      response.end(JSON.stringify(body));
      if (url.searchParams.get("force") !== "true" || isFull) return;
      created = `${JSON.stringify({ type: "ADDED", object: podOf(token) })}\n`;
      for (const watch of watches) watch.write(created);
    }
  });
  const directory = await mkdtemp(join(tmpdir(), "slipway-kubeconfig-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const kubeconfig = join(directory, "config");
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: server.url } }],
    users: [{ name: "u", user: {} }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const driver = openDriver({ kubeconfig }, options);
  onTestFinished(() => driver[Symbol.dispose]());
  const changes = (): readonly string[] =>
    server.requests.filter((one) => !/^GET |reviews$/.test(one));
  return { driver, changes };
}

const build = boxBuild(boxContainer({ volumes: [] }));

it("leaves the pod of a claimed agent alone, which has another id now and the same token", async () => {
  const pods = [podOf(token)];
  const { driver, changes } = await openCluster({ sets: [setOf(token, "before the claim")], pods });
  const agents = [{ ...boxAgent(), id: "claimed" }];
  await driver.start({ ...build, id: "build-2", number: 2, agents }, silent, signal);
  expect(changes()).toEqual([]);
});

it("ends the agent of an earlier build before it starts the one of its name", async () => {
  const { driver, changes } = await openCluster({ sets: [setOf("of an earlier build")] });
  await driver.start(build, silent, signal);
  expect(changes()).toEqual([`PATCH ${set}`, `DELETE ${set}`, `PATCH ${set}`]);
});

it("removes what did not start", async () => {
  const { driver, changes } = await openCluster({}, { isFull: true, startTimeoutMs: 50 });
  await expect(driver.start(build, silent, signal)).rejects.toMatchObject({
    code: "not-startable",
    message: expect.stringContaining("its pod has not been created"),
  });
  expect(changes()).toEqual([`PATCH ${set}`, `DELETE ${set}`]);
});

it("suspends what a stop ends, and removes what a deletion ends", async () => {
  const { driver, changes } = await openCluster({ sets: [setOf(token)] });
  await driver.stop({ ...build, transition: "stop" }, silent, signal);
  expect(changes()).toEqual([`PATCH ${set}`]);
  await driver.delete({ ...build, transition: "delete" }, silent, signal);
  expect(changes().slice(1)).toEqual([`PATCH ${set}`, `DELETE ${set}`]);
});

it.each([
  ["has another token", podOf("of an earlier build")],
  ["is being deleted", podOf(token, running, { deletionTimestamp: "2026-11-30T12:00:00Z" })],
  ["waits", podOf(token, { waiting: { reason: "ContainerCreating" } })],
  ["only looks like one of ours", podOf(token, running, { name: "copy" })],
])("observes no agent in a pod that %s", async (_name, pod) => {
  const { driver } = await openCluster({ pods: [pod] });
  const { workspace, agents } = build;
  const subject = { workspaceId: workspace.id, agents, state: undefined };
  const absent = { id: "agent-main", status: "absent" };
  expect(await driver.observe(subject, signal)).toEqual({ agents: [absent] });
});
