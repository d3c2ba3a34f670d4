import { type JsonObject, objectOf } from "@slipway/runtime";

import { archiveDirectory, entryScript, nodeScript } from "../docker/entry-script.ts";
import type {
  DriverAgent,
  DriverBuild,
  DriverContainer,
  KubernetesSettings,
  PodToleration,
} from "../driver-build.ts";
import { enterScript, installScript } from "./enter-script.ts";
import {
  agentAnnotations,
  agentLabels,
  mainContainer,
  type ObjectPlace,
  volumeClaimName,
} from "./pod-marks.ts";
import { strategicMerge } from "./strategic-merge.ts";

/** An agent of a build, with a container that the operator permits. */
export interface PodAgent extends DriverAgent {
  readonly container: DriverContainer;
}

/** The settings that all pods share. */
export interface PodNeeds {
  readonly place: ObjectPlace;
  readonly agentImage: string;
  readonly serverUrl: string;
  readonly archiveHash: string;
}

/** The audience of the tokens by which pods prove their identity. */
export const identityAudience = "slipway";

/** The file with that token; `identityDirectory` is mounted into the workspace's container only. */
const identityDirectory = "/var/run/secrets/slipway";
const identityFile = "token";

/** The lifetime of that token, the shortest that Kubernetes grants; the kubelet renews it. */
const identitySeconds = 600;

const agentVolume = "slipway-agent";
const identityVolume = "slipway-identity";

/** A user without rights, for the container that brings the agent. */
const nobody = 65_534;

/** The group of volumes whose user is known only inside the container. */
const volumeGroup = 10_001;

/** Capabilities of the default set that no workspace needs. */
const droppedCapabilities = ["NET_RAW", "MKNOD"];

/** Returns the metadata and the specification of an agent's pod. */
export function podTemplate(
  { place, ...needs }: PodNeeds,
  build: DriverBuild,
  agent: PodAgent,
): { readonly metadata: JsonObject; readonly spec: JsonObject } {
  const { kubernetes } = agent.container;
  const spec = podSpec({ place, ...needs }, build, agent);
  return {
    metadata: {
      labels: { ...kubernetes?.labels, ...agentLabels(place, agent.name) },
      annotations: { ...kubernetes?.annotations, ...agentAnnotations(agent, build.id) },
    },
    // The identity belongs to the pod, whatever the patch says.
    spec: withIdentity(strategicMerge(spec, kubernetes?.patch ?? {})),
  };
}

function podSpec(needs: PodNeeds, build: DriverBuild, agent: PodAgent): JsonObject {
  const { container, platform } = agent;
  const kubernetes = container.kubernetes;
  const user = parseUser(container.user);
  const agentMount = { name: agentVolume, mountPath: archiveDirectory };
  return compact({
    restartPolicy: "Always",
    enableServiceLinks: false,
    serviceAccountName: kubernetes?.serviceAccount || undefined,
    automountServiceAccountToken: Boolean(kubernetes?.serviceAccount),
    terminationGracePeriodSeconds: Math.ceil(build.limits.stopTimeoutMs / 1000),
    nodeSelector: {
      ...kubernetes?.nodeSelector,
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": platform.arch === "armv7" ? "arm" : platform.arch,
    },
    tolerations: kubernetes?.tolerations.map(toleration),
    runtimeClassName: kubernetes?.runtimeClass || undefined,
    imagePullSecrets: kubernetes?.imagePullSecrets.map((name) => ({ name })),
    securityContext: podSecurity(user),
    initContainers: [installer(needs, agent, agentMount)],
    containers: [mainContainerOf(needs, agent, user)],
    volumes: [
      { name: agentVolume, emptyDir: {} },
      ...container.volumes.map(({ name }) => ({
        name: `volume-${name}`,
        persistentVolumeClaim: { claimName: volumeClaimName(needs.place, name) },
      })),
    ],
  });
}

/** Adds the token by which the pod proves its identity. */
function withIdentity(spec: JsonObject): JsonObject {
  const token = {
    audience: identityAudience,
    expirationSeconds: identitySeconds,
    path: identityFile,
  };
  const volume = {
    name: identityVolume,
    projected: { sources: [{ serviceAccountToken: token }] },
  };
  const mount = { name: identityVolume, mountPath: identityDirectory, readOnly: true };
  return strategicMerge(spec, {
    volumes: [volume],
    containers: [{ name: mainContainer, volumeMounts: [mount] }],
  });
}

/** The container that runs first and puts the agent into the volume that both share. */
function installer(needs: PodNeeds, { platform }: PodAgent, mount: JsonObject): JsonObject {
  const quantity = { cpu: "1", memory: "256Mi" };
  return {
    name: "agent",
    image: needs.agentImage,
    command: ["/bin/sh", "-c", installScript].map(literal),
    env: variables({
      SLIPWAY_ARCHIVE_URL: `${needs.serverUrl}/bin/slipway-linux-${platform.arch}.tar.gz`,
      SLIPWAY_ARCHIVE_SHA256: needs.archiveHash,
    }),
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: quantity },
    securityContext: { ...unprivileged, runAsNonRoot: true, runAsUser: nobody, runAsGroup: nobody },
    volumeMounts: [mount],
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

function mainContainerOf(needs: PodNeeds, agent: PodAgent, user: PodUser): JsonObject {
  const { container } = agent;
  const mounts = container.volumes.map(({ name, path, isReadOnly }) => ({
    name: `volume-${name}`,
    mountPath: path,
    readOnly: isReadOnly,
  }));
  return compact({
    name: mainContainer,
    image: container.image,
    command: commandOf(container, user).map(literal),
    env: variables({
      ...container.environment,
      CODER_AGENT_URL: needs.serverUrl,
      CODER_AGENT_AUTH: "kubernetes-instance-identity",
      SLIPWAY_POD_TOKEN_FILE: `${identityDirectory}/${identityFile}`,
      ...(user.kind === "number" && homeVariables(container)),
    }),
    ports: container.ports.map(({ name, port }) => ({
      name,
      containerPort: port,
      protocol: "TCP",
    })),
    resources: resources(container),
    securityContext: containerSecurity(user),
    volumeMounts: [{ name: agentVolume, mountPath: archiveDirectory, readOnly: true }, ...mounts],
    // The end of the log says why a container ended before the agent could connect.
    terminationMessagePolicy: "FallbackToLogsOnError",
  });
}

/** Returns the command line of the workspace's container: the agent, and the template's command beside it. */
function commandOf({ command, volumes }: DriverContainer, user: PodUser): readonly string[] {
  const entry = ["/bin/sh", "-c", entryScript, "slipway", ...command];
  if (user.kind !== "name") return entry;
  const writable = volumes.filter(({ isReadOnly }) => !isReadOnly).map(({ path }) => path);
  const enter = ["-e", enterScript, user.name, JSON.stringify(writable)];
  return ["/bin/sh", "-c", nodeScript, "node", "--no-warnings", ...enter, ...entry];
}

/** A user without an entry in the image has no home: the first volume is theirs. */
function homeVariables({ volumes }: DriverContainer): Readonly<Record<string, string>> {
  const home = volumes.find(({ isReadOnly }) => !isReadOnly)?.path ?? "/tmp";
  return { HOME: home };
}

/** The user of a container: that of the image, a number, or a name that only the image knows. */
type PodUser =
  | { readonly kind: "image" }
  | { readonly kind: "number"; readonly uid: number; readonly gid: number }
  | { readonly kind: "name"; readonly name: string };

function parseUser(text: string): PodUser {
  if (text === "") return { kind: "image" };
  const [uid = "", gid = uid] = text.split(":");
  return /^\d+$/.test(uid)
    ? { kind: "number", uid: Number(uid), gid: Number(gid) }
    : { kind: "name", name: text };
}

function podSecurity(user: PodUser): JsonObject {
  return {
    seccompProfile: { type: "RuntimeDefault" },
    // A big volume is not walked through at every start.
    fsGroupChangePolicy: "OnRootMismatch",
    // A named user gets the tops of volumes from the entry, which starts as root.
    ...(user.kind === "number" && { fsGroup: user.gid }),
    ...(user.kind === "image" && { fsGroup: volumeGroup }),
  };
}

/** The settings that the strictest pod security standard requires. */
const unprivileged = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

function containerSecurity(user: PodUser): JsonObject {
  if (user.kind === "number" && user.uid !== 0) {
    return { ...unprivileged, runAsNonRoot: true, runAsUser: user.uid, runAsGroup: user.gid };
  }
  const isRoot = user.kind === "name" || user.kind === "number";
  return { capabilities: { drop: droppedCapabilities }, ...(isRoot && { runAsUser: 0 }) };
}

function resources({ cpus, memoryBytes, storageBytes, kubernetes }: DriverContainer): JsonObject {
  const requests = kubernetes?.requests;
  return {
    limits: quantities({ cpus, memoryBytes, storageBytes }),
    requests: quantities({
      cpus: requests?.cpus,
      memoryBytes: requests?.memoryBytes,
      storageBytes: undefined,
    }),
  };
}

interface Quantities {
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly storageBytes: number | undefined;
}

function quantities({ cpus, memoryBytes, storageBytes }: Quantities): JsonObject {
  return compact({
    cpu: cpus === undefined ? undefined : `${Math.round(cpus * 1_000)}m`,
    memory: memoryBytes === undefined ? undefined : String(memoryBytes),
    "ephemeral-storage": storageBytes === undefined ? undefined : String(storageBytes),
  });
}

function toleration({ key, value, effect, seconds }: PodToleration): JsonObject {
  const operator = value === undefined ? "Exists" : "Equal";
  return compact({ key, operator, value, effect, tolerationSeconds: seconds });
}

function variables(values: Readonly<Record<string, string>>): readonly JsonObject[] {
  return Object.entries(values).map(([name, value]) => ({ name, value: literal(value) }));
}

/** Escapes a text in which Kubernetes would replace `$(name)` by a variable. */
function literal(text: string): string {
  return text.replaceAll("$", () => "$$");
}

/** Returns an object without its undefined fields. */
function compact(fields: Readonly<Record<string, unknown>>): JsonObject {
  return objectOf(
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  );
}

/** Returns the claim of a volume, with the storage that the template asks for. */
export function volumeClaim(
  name: string,
  labels: Readonly<Record<string, string>>,
  kubernetes: KubernetesSettings | undefined,
): JsonObject {
  return {
    metadata: { name, labels },
    spec: compact({
      accessModes: ["ReadWriteOnce"],
      storageClassName: kubernetes?.storageClass || undefined,
      resources: { requests: { storage: String(kubernetes?.volumeBytes ?? defaultVolumeBytes) } },
    }),
  };
}

/** The size of a volume whose template gives it none. */
const defaultVolumeBytes = 10 * 2 ** 30;
