import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { objectOf, parseObject, textOf } from "@slipway/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";

import { openCluster, type TestCluster } from "../../src/clusters.ts";
import { runProgram } from "../../src/clusters/run-program.ts";

const opened = new AsyncDisposableStack();
let cluster: TestCluster;

beforeAll(async () => {
  cluster = opened.use(await openCluster());
});
afterAll(() => opened.disposeAsync());

const patience = { timeout: 60_000, interval: 250 };

function podNamed(name: string): string {
  const { image } = cluster;
  const container = { name: "main", image, command: ["/bin/sleep", "10000"] };
  const spec = { containers: [container], terminationGracePeriodSeconds: 0 };
  return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec });
}

/** Starts a pod of the cluster, or of another one, and resolves when it runs. */
async function startPod(name: string, ...flags: readonly string[]): Promise<void> {
  const created = ["wait", "--for=create", "serviceaccount/default", "--timeout=60s"];
  await cluster.kubectl([...flags, ...created]);
  await cluster.kubectl([...flags, "apply", "-f", "-"], { input: podNamed(name) });
  const ready = ["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=120s"];
  await cluster.kubectl([...flags, ...ready]);
}

/** Returns the programs and containers of a cluster, and what else there is of it on this machine. */
async function remains(directory: string, hostAddress: string): Promise<readonly string[]> {
  const group = basename(directory);
  const processes = await runProgram("pgrep", ["-f", directory], "").catch(() => "");
  const groups = await runProgram("find", ["/sys/fs/cgroup", "-name", group], "");
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return [
    ...processes.split("\n").filter((line) => line !== ""),
    ...groups.split("\n").filter((line) => line !== ""),
    ...(existsSync(directory) ? [directory] : []),
    ...addresses.flatMap(({ address }) => (address === hostAddress ? [address] : [])),
  ];
}

it("two clusters on one machine leave each other alone, and nothing is left of one that is killed", async () => {
  await startPod("before");
  const path = fileURLToPath(new URL("support/cluster-program.ts", import.meta.url));
  const other = spawn(process.execPath, ["--conditions=@slipway/source", path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(other, "exit");
  opened.defer(() => void other.kill("SIGKILL"));
  const [line] = await once(createInterface({ input: other.stdout }), "line");
  const printed = objectOf(parseObject(String(line)));
  const kubeconfig = textOf(printed["kubeconfig"]);
  const hostAddress = textOf(printed["hostAddress"]);
  const directory = dirname(kubeconfig);
  expect(hostAddress).not.toBe(cluster.hostAddress);
  await startPod("other", `--kubeconfig=${kubeconfig}`);
  expect(await remains(directory, hostAddress)).not.toEqual([]);

  other.kill("SIGTERM");
  await exited;
  await expect.poll(() => remains(directory, hostAddress), patience).toEqual([]);
  await startPod("after");
  const restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}";
  expect(await cluster.kubectl(["get", "pods", "-o", restarts])).toBe("0 0");
});
