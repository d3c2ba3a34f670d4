import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findFreePort } from "@slipway/runtime";

import { packBox } from "../engines/box-image.ts";
import { containerdConfig, kubeconfig, kubeletConfig, networkConfig } from "./cluster-files.ts";
import { openGround } from "./cluster-ground.ts";
import { ClusterProcess, type ClusterProcessPlan } from "./cluster-process.ts";
import { buildClusterPrograms } from "./cluster-programs.ts";
import { packImage } from "./image-archive.ts";
import { followProgram, runProgram } from "./run-program.ts";

/*
 * A whole Kubernetes of one node for tests, with its own directories, ports, container runtime and network: etcd, the API
 * server, its controllers, the scheduler and a kubelet that runs pods. It needs root and Debian's containerd, runc and
 * containernetworking-plugins; its programs are built from Go's modules. When the process that opened it is killed, a
 * separate one removes what is left.
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
  const { directory, group, network } = opened.use(await openGround());
  const { hostAddress } = network;
  // Clusters that are opened at the same time look for their ports in different places.
  const portOf = (first: number): Promise<number> => findFreePort(first + 3 * network.index);
  const [etcdPort, peerPort, apiPort, kubeletPort] = [
    await portOf(12379),
    await portOf(12479),
    await portOf(16443),
    await portOf(20250),
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
    "net.d/10-slipway.conf": networkConfig({
      directory,
      bridge: network.name,
      network: network.prefix,
    }),
    "kubelet.yaml": kubeletConfig({
      directory,
      group: group.path,
      port: kubeletPort,
      address: hostAddress,
    }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path(name), content);

  const run = async (
    plan: Omit<ClusterProcessPlan, "directory" | "group">,
  ): Promise<ClusterProcess> => {
    const started = opened.use(new ClusterProcess({ ...plan, directory, group: group.programs }));
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

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
