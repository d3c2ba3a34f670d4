import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { findFreePort } from "@slipway/runtime";

import { packBox } from "../engines/box-image.ts";
import { containerdConfig, kubeconfig, kubeletConfig, networkConfig } from "./cluster-files.ts";
import { bridge, openBridge } from "./cluster-network.ts";
import { ClusterProcess, type ClusterProcessPlan } from "./cluster-process.ts";
import { buildClusterPrograms } from "./cluster-programs.ts";
import { packImage } from "./image-archive.ts";
import { followProgram, runProgram } from "./run-program.ts";

/*
 * A whole Kubernetes of one node for tests, with its own directories, ports, container runtime and network: etcd, the API
 * server, its controllers, the scheduler and a kubelet that runs pods. It needs root and Debian's containerd, runc and
 * containernetworking-plugins; its programs are built from Go's modules. One at a time on a machine.
 */

/** A cluster of one node, `node-1`. Its owner disposes of it, which ends all pods. */
export interface TestCluster extends AsyncDisposable {
  /** A kubeconfig with all rights. */
  readonly kubeconfig: string;
  /** The address of this machine at which pods reach it. */
  readonly hostAddress: string;
  /** The port of the API server at that address. */
  readonly apiPort: number;
  /** The image `slipway.test/box:1`: BusyBox without bash and without users but root. */
  readonly image: string;
  /** Runs `kubectl`, and resolves to what it prints. */
  kubectl(args: readonly string[], options?: { readonly input?: string }): Promise<string>;
  /** Runs `kubectl` until it is disposed of, and calls `take` with each line that it prints. */
  follow(args: readonly string[], take: (line: string) => void): AsyncDisposable;
  /** Adds an image of an OCI archive to the node. */
  importImage(archive: Uint8Array): Promise<void>;
  /** Stops the API server at once, or starts it again. */
  readonly apiServer: Pick<ClusterProcess, "kill" | "start">;
  /**
   * Starts the controllers, the scheduler and the kubelet again. After outages of the API server each of their watches pauses
   * for up to a minute between two attempts, and may be late by several of them.
   */
  restartClients(): Promise<void>;
}

const image = "slipway.test/box:1";
const pauseImage = "slipway.test/pause:1";

/** Settings of the kernel that a kubelet changes. */
const kernelSettings = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

/** Starts a cluster and waits until its node runs pods. */
export async function openCluster(): Promise<TestCluster> {
  await requireNode();
  const programs = await buildClusterPrograms();
  const opened = new AsyncDisposableStack();
  try {
    return await open(programs, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function open(programs: string, opened: AsyncDisposableStack): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-cluster-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  opened.defer(() => unmountBelow(directory));
  await restoreKernelLater(opened);
  const network = `10.${88 + (process.pid % 32)}.0`;
  const hostAddress = `${network}.1`;
  await openBridge(hostAddress, opened);
  const [etcdPort, peerPort, apiPort, kubeletPort] = [
    await findFreePort(12379),
    await findFreePort(12479),
    await findFreePort(16443),
    await findFreePort(20250),
  ];
  const token = randomBytes(16).toString("hex");
  const path = (name: string): string => join(directory, name);
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await mkdir(path("net.d"));
  await mkdir(path("certificates"));
  const files = {
    "tokens.csv": `${token},admin,admin,system:masters\n`,
    "accounts.key": keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    "accounts.pub": keys.publicKey.export({ type: "spki", format: "pem" }).toString(),
    "containerd.toml": containerdConfig({ directory, pauseImage }),
    "net.d/10-slipway.conf": networkConfig({ directory, bridge, network }),
    "kubelet.yaml": kubeletConfig({ directory, port: kubeletPort, address: hostAddress }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path(name), content);

  const run = async (plan: Omit<ClusterProcessPlan, "directory">): Promise<ClusterProcess> => {
    const started = opened.use(new ClusterProcess({ ...plan, directory }));
    await started.start();
    return started;
  };
  const program = (name: string): string => join(programs, name);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  await run({
    name: "etcd",
    command: [
      program("etcd"),
      `--data-dir=${path("etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
      "--unsafe-no-fsync",
    ],
    isReady: () => answers(`${etcdUrl}/health`),
  });
  const certificate = path("certificates/apiserver.crt");
  const apiUrl = `https://${hostAddress}:${apiPort}`;
  const config = path("kubeconfig");
  const kubectl: TestCluster["kubectl"] = (args, { input = "" } = {}) =>
    runProgram(program("kubectl"), [`--kubeconfig=${config}`, ...args], input);
  const apiServer = await run({
    name: "kube-apiserver",
    command: [
      program("kube-apiserver"),
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${hostAddress}`,
      `--secure-port=${apiPort}`,
      `--advertise-address=${hostAddress}`,
      "--endpoint-reconciler-type=none",
      "--service-cluster-ip-range=10.96.0.0/16",
      `--cert-dir=${path("certificates")}`,
      `--token-auth-file=${path("tokens.csv")}`,
      "--authorization-mode=Node,RBAC",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-signing-key-file=${path("accounts.key")}`,
      `--service-account-key-file=${path("accounts.pub")}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--allow-privileged=true",
    ],
    isReady: async () => {
      // It makes its certificate at its first start.
      const ca = await readFile(certificate).catch(() => undefined);
      if (ca === undefined) return false;
      await writeFile(config, kubeconfig({ url: apiUrl, token, ca }));
      return kubectl(["get", "--raw", "/readyz"]).then(
        () => true,
        () => false,
      );
    },
  });
  const own = [`--kubeconfig=${config}`, "--leader-elect=false"];
  const controllers = await run({
    name: "kube-controller-manager",
    command: [
      program("kube-controller-manager"),
      ...own,
      `--service-account-private-key-file=${path("accounts.key")}`,
      `--root-ca-file=${certificate}`,
      "--enable-hostpath-provisioner=true",
      "--secure-port=0",
    ],
  });
  const scheduler = await run({
    name: "kube-scheduler",
    command: [program("kube-scheduler"), ...own, "--secure-port=0"],
  });
  const socket = path("containerd.sock");
  const ctr = (args: readonly string[]): Promise<string> =>
    runProgram("ctr", [`--address=${socket}`, "--namespace=k8s.io", ...args], "");
  await run({
    name: "containerd",
    command: ["containerd", `--config=${path("containerd.toml")}`],
    isReady: () =>
      ctr(["version"]).then(
        () => true,
        () => false,
      ),
  });
  opened.defer(() => endContainers(ctr));
  const importImage = async (archive: Uint8Array): Promise<void> => {
    const file = path("image.tar");
    await writeFile(file, archive);
    await ctr(["images", "import", file]);
    await rm(file);
  };
  const layers = [await packBox()];
  const pauses = ["/bin/sleep", "1000000000"];
  await importImage(await packImage({ name: pauseImage, layers, entrypoint: pauses }));
  await importImage(await packImage({ name: image, layers, entrypoint: ["/bin/sh"] }));
  const kubelet = await run({
    name: "kubelet",
    command: [
      program("kubelet"),
      `--kubeconfig=${config}`,
      `--config=${path("kubelet.yaml")}`,
      `--root-dir=${path("kubelet")}`,
      `--cert-dir=${path("kubelet-certificates")}`,
      "--hostname-override=node-1",
      `--node-ip=${hostAddress}`,
    ],
    isReady: async () => {
      const format = '{.status.conditions[?(@.type=="Ready")].status}';
      const args = ["get", "node", "node-1", "-o", `jsonpath=${format}`];
      return (await kubectl(args).catch(() => "")) === "True";
    },
  });
  await kubectl(["apply", "-f", "-"], { input: JSON.stringify(storageClass) });
  return {
    kubeconfig: config,
    hostAddress,
    apiPort,
    image,
    kubectl,
    follow: (args, take) =>
      followProgram(program("kubectl"), [`--kubeconfig=${config}`, ...args], take),
    importImage,
    apiServer,
    restartClients: async () => {
      for (const client of [controllers, scheduler, kubelet]) {
        await client.kill();
        await client.start();
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Volumes are directories of the node. */
const storageClass = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: {
    name: "standard",
    annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
  },
  provisioner: "kubernetes.io/host-path",
  volumeBindingMode: "WaitForFirstConsumer",
};

/** Throws for a machine on which no node can run, with what it lacks. */
async function requireNode(): Promise<void> {
  const needs = [
    ["root", '[ "$(id -u)" = 0 ]'],
    ["containerd (package containerd)", "command -v containerd && command -v ctr"],
    ["runc (package runc)", "command -v runc"],
    ["CNI plugins (package containernetworking-plugins)", "[ -x /usr/lib/cni/bridge ]"],
    ["ip (package iproute2)", "command -v ip"],
    ["/bin/busybox (package busybox-static)", "[ -x /bin/busybox ]"],
    [
      "control groups that may be written",
      "cd /sys/fs/cgroup && { [ ! -d cpu ] || cd cpu; } && mkdir slipway-probe && rmdir slipway-probe",
    ],
  ] as const;
  for (const [name, script] of needs) {
    const isMet = await runProgram("sh", ["-c", script], "").then(
      () => true,
      () => false,
    );
    if (!isMet) throw new Error(`no cluster can run on this machine: it lacks ${name}`);
  }
}

async function restoreKernelLater(opened: AsyncDisposableStack): Promise<void> {
  for (const name of kernelSettings) {
    const path = `/proc/sys/${name}`;
    const before = await readFile(path, "utf8").catch(() => undefined);
    if (before !== undefined) opened.defer(() => writeFile(path, before));
  }
}

/** Ends all containers, which would outlive their runtime. */
async function endContainers(ctr: (args: readonly string[]) => Promise<string>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const tasks = (await ctr(["tasks", "ls", "-q"])).split("\n").filter((id) => id !== "");
    if (tasks.length === 0) return;
    for (const id of tasks) {
      await ctr(["tasks", "kill", "--all", "--signal=SIGKILL", id]).catch(() => undefined);
      await ctr(["tasks", "rm", "--force", id]).catch(() => undefined);
    }
    await sleep(100);
  }
}

/** Unmounts what the kubelet and containerd left. */
async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const below = mounts
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(directory));
  for (const path of below.toReversed()) {
    await runProgram("umount", ["--lazy", path], "").catch(() => undefined);
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
