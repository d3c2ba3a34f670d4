import { readFile, writeFile } from "node:fs/promises";

import type { DriverEvent } from "@slipway/drivers";
import { TcpProxy } from "@slipway/testkit";
import type { TestCluster } from "@slipway/testkit/clusters";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  boxBuild,
  namespace,
  openDriver,
  openStage,
  signal,
  silent,
} from "./support/cluster-stage.ts";

/* A namespace with the pods of many other workspaces, and a connection on which everything stays away. */

const count = 1_000;
const label = "test=many";

const opened = new AsyncDisposableStack();
let cluster: TestCluster;

beforeAll(async () => {
  cluster = opened.use(await openStage());
});

afterAll(() => opened.disposeAsync());

/** Creates pods with the labels of the driver, which no node ever runs. */
async function createMany(): Promise<void> {
  const items = Array.from({ length: count }, (_, index) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `many-${index}`,
      labels: {
        test: "many",
        "app.kubernetes.io/managed-by": "slipway",
        "slipway/deployment": deployment,
        "slipway/workspace": `other-${index}`,
        "slipway/agent": "main",
      },
      annotations: { "slipway/agent-id": "a", "slipway/build": "b", "slipway/token-hash": "0" },
    },
    spec: {
      schedulingGates: [{ name: "test/never" }],
      containers: [{ name: "workspace", image: cluster.image }],
    },
  }));
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await cluster.kubectl(["create", `-n${namespace}`, "-f", "-"], { input: list });
}

let deployment = "";

/** Opens a proxy for the API server; resolves to it, and to the path of a kubeconfig whose connections pass through it. */
async function openProxy(): Promise<readonly [TcpProxy, string]> {
  const { hostAddress: host, apiPort: port } = cluster;
  const proxy = opened.use(await TcpProxy.open(() => [{ host, port }], host));
  const config = JSON.parse(await readFile(cluster.kubeconfig, "utf8"));
  config.clusters[0].cluster.server = `https://${host}:${proxy.port}`;
  const path = `${cluster.kubeconfig}-proxied`;
  await writeFile(path, JSON.stringify(config));
  return [proxy, path];
}

it("learns after a watch that fell silent what happened meanwhile, among a thousand other pods", async () => {
  const [proxy, path] = await openProxy();
  const source = { kind: "kubeconfig", path, context: undefined } as const;
  using watcher = openDriver(cluster, { source });
  using driver = openDriver(cluster);
  const events: DriverEvent[] = [];
  const ended = new AbortController();
  const reason = new Error("seen enough");
  const watching = watcher.watch((event) => events.push(event), ended.signal);
  const isOver = expect(watching).rejects.toBe(reason);
  const build = boxBuild();
  await driver.start(build, silent, signal);
  const [pod = ""] = (await cluster.kubectl(["get", "pods", `-n${namespace}`, "-o", "name"])).split(
    "\n",
  );
  const labels = JSON.parse(await cluster.kubectl(["get", pod, `-n${namespace}`, "-o", "json"]))
    .metadata.labels;
  deployment = labels["slipway/deployment"];
  await expect.poll(() => events, { timeout: 60_000 }).toEqual([{ kind: "watching" }]);

  for (const link of proxy.links) link.stall();
  await cluster.kubectl(["delete", pod, "--now", `-n${namespace}`]);
  await createMany();
  expect(events).toHaveLength(1);
  await expect
    .poll(() => events.slice(1), { timeout: 200_000, interval: 1_000 })
    .toContainEqual(expect.objectContaining({ kind: "ended", workspaceId: build.workspace.id }));
  ended.abort(reason);
  await isOver;

  // A driver that starts now reads all of them, page by page.
  const all: DriverEvent[] = [];
  using next = openDriver(cluster);
  const again = new AbortController();
  const second = expect(next.watch((event) => all.push(event), again.signal)).rejects.toBe(reason);
  await expect.poll(() => all, { timeout: 60_000 }).toEqual([{ kind: "watching" }]);
  const subject = { workspaceId: build.workspace.id, agents: build.agents, state: undefined };
  await expect
    .poll(() => next.observe(subject, signal), { timeout: 60_000 })
    .toMatchObject({ agents: [{ status: "running" }] });
  again.abort(reason);
  await second;
  await driver.delete({ ...build, transition: "delete" }, silent, signal);
  const others = await cluster.kubectl([
    "get",
    "pods",
    `-n${namespace}`,
    "-l",
    label,
    "-o",
    "name",
  ]);
  expect(others.trim().split("\n")).toHaveLength(count);
});
