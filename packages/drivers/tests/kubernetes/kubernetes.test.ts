import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import type { DriverBuild, DriverEvent, DriverLog, KubernetesDriver } from "@slipway/drivers";
import type { TestCluster } from "@slipway/testkit/clusters";
import { describeDriver } from "@slipway/testkit/compliance";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  boxAgent,
  boxBuild,
  boxContainer,
  copyPod,
  evict,
  inside,
  leftovers,
  namespace,
  openDriver,
  openStage,
  plainKubernetes,
  podOf,
  signal,
  silent,
} from "./support/cluster-stage.ts";
import { openSandboxes } from "./support/sandbox-controller.ts";

/* The driver on a real cluster of one node. */

const patience = { timeout: 60_000, interval: 200 };
const unschedulable = { ...plainKubernetes, nodeSelector: { pool: "absent" } };

let cluster: TestCluster;
let driver: KubernetesDriver;

beforeAll(async () => {
  cluster = await openStage();
  driver = openDriver(cluster);
});

afterAll(async () => {
  driver?.[Symbol.dispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function remove(build: DriverBuild = boxBuild()): Promise<void> {
  await driver.delete({ ...build, transition: "delete" }, silent, signal);
}

/** A log that keeps its lines. */
function openLog(): { readonly lines: string[]; readonly log: DriverLog } {
  const lines: string[] = [];
  return { lines, log: { write: (_level, _stage, line) => void lines.push(line) } };
}

describeDriver("kubernetes", async () => {
  const other = openDriver(cluster);
  return {
    driver,
    reopen: () => other,
    seesAgents: true,
    agent: () => boxAgent(),
    [Symbol.asyncDispose]: async () => {
      other[Symbol.dispose]();
      await remove();
    },
  };
});

describe("the driver kubernetes", () => {
  afterEach(() => remove());

  it("runs the agent and nothing of ours as root, as a user whom the image lacks, and says what it does", async () => {
    const { lines, log } = openLog();
    await driver.start(boxBuild(), log, signal);
    expect(lines).toContainEqual(expect.stringMatching(/^agent main: Successfully assigned /));
    expect(lines).toContainEqual(expect.stringMatching(/^agent main runs in pod ws-main-/));
    expect(await inside(cluster, "sh", "-c", "id -un; ps -o user,args")).toMatch(
      /\bdev\s+.*\/slipway\/agent\/dist\/agent\.cjs/,
    );
    expect(await inside(cluster, "sh", "-c", "stat -c %U /home/dev")).toBe("dev");
  });

  it("keeps volumes when the workspace stops, and nothing after its deletion", async () => {
    const build = boxBuild();
    await driver.start(build, silent, signal);
    await inside(cluster, "sh", "-c", "echo kept >/home/dev/file; echo lost >/tmp/file");
    const stop = { ...build, id: "build-2", number: 2, transition: "stop" } as const;
    const stopped = await driver.stop(stop, silent, signal);
    expect(stopped.resources).toEqual([expect.objectContaining({ type: "volume", name: "home" })]);
    expect(await podOf(cluster)).toBe("");
    await driver.start({ ...build, id: "build-3", number: 3 }, silent, signal);
    expect(await inside(cluster, "sh", "-c", "cat /home/dev/file; cat /tmp/file; true")).toBe(
      "kept",
    );
    await remove(build);
    await expect.poll(() => leftovers(cluster), patience).toBe("");
  });

  it("has no secret in what it creates", async () => {
    await driver.start(boxBuild(), silent, signal);
    const objects = await cluster.kubectl(["get", "all", `-n${namespace}`, "-o", "json"]);
    expect(objects).not.toContain("token of main");
  });

  it("satisfies the restricted pod security standard for a user that is a number", async () => {
    const label = "pod-security.kubernetes.io/enforce";
    await cluster.kubectl(["label", "namespace", namespace, `${label}=restricted`]);
    try {
      const build = boxBuild(boxContainer({ user: "1000" }));
      await driver.start(build, silent, signal);
      // The volumes of the test's cluster know no owners.
      expect(await inside(cluster, "sh", "-c", "id -u; echo $HOME")).toBe("1000\n/home/dev");
      await remove();
      await expect(driver.start(boxBuild(), silent, signal)).rejects.toThrow(
        /the cluster refuses the pod: .*violates PodSecurity/,
      );
    } finally {
      await cluster.kubectl(["label", "namespace", namespace, `${label}-`]);
    }
  });

  it("reports the end of a pod that is evicted, and of a container out of memory", async () => {
    const events: DriverEvent[] = [];
    const ended = new AbortController();
    const watching = driver.watch((event) => events.push(event), ended.signal);
    const reason = new Error("seen enough");
    const isOver = expect(watching).rejects.toBe(reason);
    await expect.poll(() => events, patience).toEqual([{ kind: "watching" }]);
    const build = boxBuild();
    await driver.start(build, silent, signal);
    await evict(cluster, await podOf(cluster));
    await expect
      .poll(() => events, patience)
      .toContainEqual(
        expect.objectContaining({
          kind: "ended",
          workspaceId: build.workspace.id,
          agentId: "agent-main",
          detail: expect.stringContaining("evicted, as by a drain of its node"),
        }),
      );
    await remove();
    // The set made another pod of its own accord.
    events.length = 0;
    const memoryBytes = 128 * 2 ** 20;
    await driver.start(boxBuild(boxContainer({ memoryBytes })), silent, signal);
    await inside(cluster, "sh", "-c", "tail /dev/zero").catch(() => undefined);
    const killAgent =
      "for p in /proc/[0-9]*; do grep -q 'agent[.]cjs' $p/cmdline && kill -9 ${p#/proc/}; done";
    await inside(cluster, "sh", "-c", killAgent).catch(() => undefined);
    await expect
      .poll(() => events, patience)
      .toContainEqual(expect.objectContaining({ kind: "out-of-memory", exitCode: 137 }));
    ended.abort(reason);
    await isOver;
  });

  it("reports that its node is drained, and returns with its volume when the node does", async () => {
    const events: DriverEvent[] = [];
    const ended = new AbortController();
    const reason = new Error("seen enough");
    const watching = driver.watch((event) => events.push(event), ended.signal);
    const isOver = expect(watching).rejects.toBe(reason);
    await expect.poll(() => events, patience).toEqual([{ kind: "watching" }]);
    await driver.start(boxBuild(), silent, signal);
    await inside(cluster, "sh", "-c", "echo kept >/home/dev/file");
    const drain = ["drain", "node-1", "--force", "--ignore-daemonsets", "--delete-emptydir-data"];
    try {
      await cluster.kubectl([...drain, "--timeout=120s"]);
      await expect
        .poll(() => events, patience)
        .toContainEqual(
          expect.objectContaining({ detail: expect.stringContaining("a drain of its node") }),
        );
      // The scheduler says so within a second, and later on a busy machine.
      using short = openDriver(cluster, { startTimeoutMs: 10_000 });
      await expect(short.start(boxBuild(), silent, signal)).rejects.toThrow(
        /no node fits: 0\/1 nodes are available: 1 node\(s\) were unschedulable/,
      );
    } finally {
      await cluster.kubectl(["uncordon", "node-1"]);
    }
    await driver.start(boxBuild(), silent, signal);
    expect(await inside(cluster, "cat", "/home/dev/file")).toBe("kept");
    ended.abort(reason);
    await isOver;
  });

  it.each([
    ["an image that is not there", { image: "127.0.0.1:9/absent:1" }, /127\.0\.0\.1:9\/absent:1/],
    [
      "a pod that no node fits",
      { kubernetes: unschedulable },
      /does not run after 5 s: no node fits: 0\/1 nodes are available/,
    ],
  ])(
    "says why %s does not start, and leaves nothing but its volume",
    async (_name, fields, message) => {
      using short = openDriver(cluster, { startTimeoutMs: 5_000 });
      await expect(short.start(boxBuild(boxContainer(fields)), silent, signal)).rejects.toThrow(
        message,
      );
      await expect
        .poll(() => leftovers(cluster), patience)
        .toMatch(/^persistentvolumeclaim\/\S+\n$/);
    },
  );

  it("says that a quota refuses a pod", async () => {
    await cluster.kubectl(["create", "quota", "none", `-n${namespace}`, "--hard=pods=0"]);
    try {
      await expect(driver.start(boxBuild(), silent, signal)).rejects.toThrow(
        /the cluster refuses the pod: .*exceeded quota: none/,
      );
    } finally {
      await cluster.kubectl(["delete", "quota", "none", `-n${namespace}`]);
    }
  });

  it("goes on when the API server is gone for a while in the middle of a start, a stop and a deletion", async () => {
    const build = boxBuild();
    const away = async (goneMs: number, task: Promise<unknown>): Promise<void> => {
      const restart = async (): Promise<void> => {
        await cluster.apiServer.kill();
        await pause(goneMs);
        await cluster.apiServer.start();
      };
      await Promise.all([task, restart()]);
    };
    await away(0, driver.start(build, silent, signal));
    expect(await inside(cluster, "true")).toBe("");
    // Long enough for everything in the cluster to wait between its attempts.
    await away(30_000, driver.stop({ ...build, transition: "stop" }, silent, signal));
    expect(await podOf(cluster)).toBe("");
    await away(0, remove(build));
    await cluster.restartClients();
    await expect.poll(() => leftovers(cluster), patience).toBe("");
  });

  it("neither uses nor removes what is only named or labelled like its own", async () => {
    await driver.start(boxBuild(), silent, signal);
    const [claim = ""] = (
      await cluster.kubectl(["get", "pvc", `-n${namespace}`, "-o", "name"])
    ).split("\n");
    const copy = JSON.parse(await cluster.kubectl(["get", claim, `-n${namespace}`, "-o", "json"]));
    copy.metadata = { name: "copy", labels: copy.metadata.labels };
    delete copy.spec.volumeName;
    delete copy.status;
    await cluster.kubectl(["create", `-n${namespace}`, "-f", "-"], { input: JSON.stringify(copy) });
    await remove();
    await expect.poll(() => leftovers(cluster), patience).toBe("persistentvolumeclaim/copy\n");
    await cluster.kubectl(["delete", "pvc", "copy", `-n${namespace}`]);
    // The name without the labels.
    copy.metadata = { name: claim.replace(/^.*\//, "") };
    await cluster.kubectl(["create", `-n${namespace}`, "-f", "-"], { input: JSON.stringify(copy) });
    await expect(driver.start(boxBuild(), silent, signal)).rejects.toThrow(
      "was not created by this server",
    );
    await cluster.kubectl(["delete", claim, `-n${namespace}`]);
  });

  it("fails a start whose namespace is deleted meanwhile, and still ends the deletion", async () => {
    await cluster.kubectl(["create", "namespace", "passing"]);
    using passing = openDriver(cluster, { namespace: "passing", startTimeoutMs: 600_000 });
    await cluster.kubectl(["wait", "--for=create", "serviceaccount/default", "-npassing"]);
    const build = boxBuild(boxContainer({ kubernetes: unschedulable }));
    const starting = passing.start(build, silent, signal);
    const failed = expect(starting).rejects.toThrow(/was deleted, perhaps with the namespace/);
    const waiting = ["get", "pods", "-npassing", "-o", "name"];
    await expect.poll(() => cluster.kubectl(waiting), patience).toMatch(/^pod\//);
    await cluster.kubectl(["delete", "namespace", "passing"]);
    await failed;
    await passing.delete({ ...build, transition: "delete" }, silent, signal);
    await expect(passing.start(boxBuild(), silent, signal)).rejects.toThrow(
      /namespaces "passing" not found/,
    );
  });

  it("knows the agent of a pod by the pod's token, and of nothing else that has one", async () => {
    const build = boxBuild();
    await driver.start(build, silent, signal);
    const pod = (await podOf(cluster)).replace(/^.*\//, "");
    const token = await inside(cluster, "cat", "/var/run/secrets/slipway/token");
    const prove = (text: string) => driver.provePod(text, signal);
    const issue = async (...flags: readonly string[]): Promise<string> =>
      (await cluster.kubectl(["create", "token", "default", `-n${namespace}`, ...flags])).trim();
    const ours = ["--audience=slipway", "--bound-object-kind=Pod"];
    expect(await prove(token)).toBe(createHash("sha256").update("token of main").digest("hex"));
    expect(await prove("a.b.c")).toBeUndefined();
    expect(await prove(`${token.slice(0, -4)}AAAA`)).toBeUndefined();
    expect(await prove(await issue("--audience=slipway"))).toBeUndefined();
    const forOthers = await issue("--bound-object-kind=Pod", `--bound-object-name=${pod}`);
    expect(await prove(forOthers)).toBeUndefined();
    await copyPod(cluster, pod, "copy-of-a-pod");
    expect(await prove(await issue(...ours, "--bound-object-name=copy-of-a-pod"))).toBeUndefined();
    // The token is that of the pod, not of its name.
    const kept = await issue(...ours, `--bound-object-name=${pod}`);
    expect(await prove(kept)).toBeDefined();
    await cluster.kubectl(["delete", "pod", pod, "copy-of-a-pod", `-n${namespace}`]);
    await cluster.kubectl(["wait", "--for=create", `pod/${pod}`, `-n${namespace}`]);
    expect(await prove(token)).toBeUndefined();
    expect(await prove(kept)).toBeUndefined();
  });

  it("keeps the namespaces of several drivers apart", async () => {
    await cluster.kubectl(["create", "namespace", "second"]);
    await cluster.kubectl(["wait", "--for=create", "serviceaccount/default", "-nsecond"]);
    using second = openDriver(cluster, { name: "kubernetes/second", namespace: "second" });
    const build = boxBuild();
    await second.start(build, silent, signal);
    const subject = { workspaceId: build.workspace.id, agents: build.agents, state: undefined };
    expect(await second.observe(subject, signal)).toMatchObject({
      agents: [{ status: "running" }],
    });
    expect(await driver.observe(subject, signal)).toMatchObject({ agents: [{ status: "absent" }] });
    const [pod = ""] = (await cluster.kubectl(["get", "pods", "-nsecond", "-o", "name"])).split(
      "\n",
    );
    const read = ["exec", pod, "-nsecond", "--", "cat", "/var/run/secrets/slipway/token"];
    const token = await cluster.kubectl(read);
    expect(await second.provePod(token, signal)).toBeDefined();
    expect(await driver.provePod(token, signal)).toBeUndefined();
    await remove(build);
    expect(await second.observe(subject, signal)).toMatchObject({
      agents: [{ status: "running" }],
    });
    await second.delete({ ...build, transition: "delete" }, silent, signal);
    await cluster.kubectl(["delete", "namespace", "second"]);
  });

  it("runs new agents in sandboxes where the cluster has them, and finds those of before", async () => {
    const build = boxBuild();
    await driver.start(build, silent, signal);
    await using opened = new AsyncDisposableStack();
    opened.use(await openSandboxes(cluster));
    const [set] = (await leftovers(cluster)).split("\n");
    expect(set).toMatch(/^statefulset\.apps\//);
    const before = await podOf(cluster);
    await driver.start(build, silent, signal);
    expect(await podOf(cluster)).toBe(before);
    await inside(cluster, "sh", "-c", "echo kept >/home/dev/file");
    await driver.stop({ ...build, transition: "stop" }, silent, signal);
    expect(await podOf(cluster)).toBe("");

    await driver.start(build, silent, signal);
    const sandboxes = ["get", "sandboxes.agents.x-k8s.io", `-n${namespace}`, "-o", "name"];
    const [sandbox = ""] = (await cluster.kubectl(sandboxes)).split("\n");
    expect(await podOf(cluster)).toBe(`pod/${sandbox.replace(/^.*\//, "")}`);
    expect(await inside(cluster, "cat", "/home/dev/file")).toBe("kept");
    const token = await inside(cluster, "cat", "/var/run/secrets/slipway/token");
    expect(await driver.provePod(token, signal)).toBeDefined();
    await driver.stop({ ...build, transition: "stop" }, silent, signal);
    expect(await podOf(cluster)).toBe("");
    await driver.start({ ...build, id: "build-3", number: 3 }, silent, signal);
    expect(await inside(cluster, "cat", "/home/dev/file")).toBe("kept");
    await remove(build);
    await expect.poll(() => leftovers(cluster), patience).toBe("");
    expect(await cluster.kubectl(sandboxes)).toBe("");
  });

  it("names the rights that the server lacks", async () => {
    await cluster.kubectl(["create", "serviceaccount", "weak", `-n${namespace}`]);
    const token = await cluster.kubectl(["create", "token", "weak", `-n${namespace}`]);
    const config = JSON.parse(await readFile(cluster.kubeconfig, "utf8"));
    config.users[0].user = { token: token.trim() };
    const path = `${cluster.kubeconfig}-weak`;
    await writeFile(path, JSON.stringify(config));
    using weak = openDriver(cluster, { source: { kind: "kubeconfig", path, context: undefined } });
    await expect(weak.start(boxBuild(), silent, signal)).rejects.toThrow(
      /^Kubernetes does not let the server get statefulsets\.apps, .*, create tokenreviews\.authentication\.k8s\.io in the cluster \(namespace workspaces\): grant it the Role/,
    );
    config.users[0].user = { token: "expired" };
    await writeFile(path, JSON.stringify(config));
    using expired = openDriver(cluster, {
      source: { kind: "kubeconfig", path, context: undefined },
    });
    await expect(expired.start(boxBuild(), silent, signal)).rejects.toThrow(
      "Kubernetes rejects the server's credentials (401): renew those of SLIPWAY_KUBERNETES",
    );
  });

  it("merges the template's patch last, and keeps the pod's identity", async () => {
    const patch = {
      hostAliases: [{ ip: "192.0.2.7", hostnames: ["seven"] }],
      volumes: [{ name: "slipway-identity", $patch: "delete" }],
      containers: [{ name: "workspace", env: [{ name: "PATCHED", value: "yes" }] }],
    };
    const build = boxBuild(boxContainer({ kubernetes: { ...plainKubernetes, patch } }));
    await expect(driver.start(build, silent, signal)).rejects.toThrow(
      "agents.main.container.kubernetes.patch: not permitted by this server; an operator permits it by adding patches to SLIPWAY_KUBERNETES_ALLOW",
    );
    using allowing = openDriver(cluster, { allow: new Set(["patches"] as const) });
    await allowing.start(build, silent, signal);
    expect(await inside(cluster, "sh", "-c", "echo $PATCHED; grep seven /etc/hosts")).toMatch(
      /^yes\n192\.0\.2\.7\s+seven$/,
    );
    expect(await inside(cluster, "ls", "/var/run/secrets/slipway")).toBe("token");
  });
});
