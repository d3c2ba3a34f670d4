import {
  type DriverAgent,
  type DriverBuild,
  type DriverContainer,
  type DriverLog,
  KubernetesDriver,
  type KubernetesDriverOptions,
  type KubernetesSettings,
} from "@slipway/drivers";
import { silentLogger, systemClock } from "@slipway/runtime";
import { buildAgentImage, openCluster, type TestCluster } from "@slipway/testkit/clusters";
import { sampleAgent, sampleBuild, sampleContainer } from "@slipway/testkit/compliance";
import { ownArch } from "@slipway/testkit/engines";

export const { signal } = new AbortController();
export const silent: DriverLog = { write: () => undefined };

/** The namespace of the tests' pods. */
export const namespace = "workspaces";

const agentImage = "slipway.test/agent:1";

/** Opens a cluster with the namespace and the image that brings the agent. */
export async function openStage(): Promise<TestCluster> {
  const cluster = await openCluster();
  await cluster.importImage(await buildAgentImage(agentImage));
  await cluster.kubectl(["create", "namespace", namespace]);
  await cluster.kubectl(["wait", "--for=create", `serviceaccount/default`, `-n${namespace}`]);
  return cluster;
}

/** Opens a driver; its pods' server answers nobody. */
export function openDriver(
  { kubeconfig }: Pick<TestCluster, "kubeconfig">,
  options: Partial<KubernetesDriverOptions> = {},
): KubernetesDriver {
  return new KubernetesDriver({
    name: "kubernetes",
    variables: { source: "SLIPWAY_KUBERNETES", allow: "SLIPWAY_KUBERNETES_ALLOW" },
    source: { kind: "kubeconfig", path: kubeconfig, context: undefined },
    namespace,
    allow: new Set(),
    agentImage,
    readArchive: async () => ({ hash: "0".repeat(64) }),
    podUrl: () => "http://192.0.2.1:9",
    deploymentId: "test-deployment",
    startTimeoutMs: 60_000,
    logger: silentLogger,
    clock: systemClock,
    ...options,
  });
}

export const plainKubernetes: KubernetesSettings = {
  requests: { cpus: undefined, memoryBytes: undefined },
  storageClass: "",
  runtimeClass: "",
  serviceAccount: "",
  volumeBytes: 64 * 2 ** 20,
  nodeSelector: {},
  tolerations: [],
  imagePullSecrets: [],
  labels: {},
  annotations: {},
  patch: {},
};

/** Returns a container of the cluster's image, with a home in a volume and a user whom the image lacks. */
export function boxContainer(fields: Partial<DriverContainer> = {}): DriverContainer {
  return sampleContainer("slipway.test/box:1", {
    volumes: [{ name: "home", path: "/home/dev", isReadOnly: false }],
    kubernetes: plainKubernetes,
    ...fields,
  });
}

export function boxAgent(
  container = boxContainer(),
  fields: Partial<DriverAgent> = {},
): DriverAgent {
  return sampleAgent("main", {
    platform: { os: "linux", arch: ownArch },
    container,
    ...fields,
  });
}

/** Returns a start of one agent in a pod. */
export function boxBuild(
  container = boxContainer(),
  fields: Partial<DriverBuild> = {},
): DriverBuild {
  return sampleBuild({ agents: [boxAgent(container)], ...fields });
}

/** Lists the names of everything that the driver made. */
export async function leftovers(cluster: TestCluster): Promise<string> {
  const kindsOf = "statefulsets,pods,persistentvolumeclaims";
  const label = "app.kubernetes.io/managed-by=slipway";
  return cluster.kubectl(["get", kindsOf, `-n${namespace}`, "-l", label, "-o", "name"]);
}

/** Returns the only pod of the workspaces. */
export async function podOf(cluster: TestCluster): Promise<string> {
  const label = "app.kubernetes.io/managed-by=slipway";
  return (
    await cluster.kubectl(["get", "pods", `-n${namespace}`, "-l", label, "-o", "name"])
  ).trim();
}

/** Runs a command in the only pod of the workspaces. */
export async function inside(cluster: TestCluster, ...command: readonly string[]): Promise<string> {
  const args = ["exec", `-n${namespace}`, await podOf(cluster), "-c", "workspace", "--"];
  return (await cluster.kubectl([...args, ...command])).trim();
}

/** Asks the cluster to move a pod away, as a drain does. */
export async function evict(cluster: TestCluster, pod: string): Promise<void> {
  const name = pod.replace(/^.*\//, "");
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  await cluster.kubectl(["create", "--raw", path, "-f", "-"], { input: JSON.stringify(eviction) });
}

/** Creates another pod with all labels and annotations of one. */
export async function copyPod(cluster: TestCluster, pod: string, name: string): Promise<void> {
  const text = await cluster.kubectl(["get", "pod", pod, `-n${namespace}`, "-o", "json"]);
  const { labels, annotations } = JSON.parse(text).metadata;
  // Neither the set nor the driver adopts it.
  delete labels["controller-revision-hash"];
  labels["slipway/agent"] = "other";
  const copy = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels, annotations },
    spec: { containers: [{ name: "workspace", image: cluster.image, command: ["sleep", "1000"] }] },
  };
  await cluster.kubectl(["create", `-n${namespace}`, "-f", "-"], { input: JSON.stringify(copy) });
}
