import { cpusProblem, memoryRange, storageRange } from "../container-values.ts";
import { type KubernetesDefinition, tolerationEffects } from "../definition.ts";
import { maxKubernetesItems, maxLineLength } from "../limits.ts";
import type { Location } from "../location.ts";
import { quote } from "../quote.ts";
import type { Reader } from "../reader.ts";
import { list } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { integer, size } from "./scalar-shape.ts";
import {
  optional,
  optionalMap,
  refine,
  type Shape,
  transform,
  withDefault,
  withExample,
} from "./shape.ts";
import { choice, text } from "./text-shape.ts";
import { plainMap } from "./value-shape.ts";

/** A volume whose template gives it no size. */
const defaultVolumeBytes = 10 * 2 ** 30;

/** The maximum length of an object's name in Kubernetes, in characters. */
const maxNameLength = 253;

const namePattern = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/** Makes the name of an object in the cluster. */
function objectName(wanted: string): Shape<string> {
  return text({
    maxLength: maxNameLength,
    minLength: 1,
    wanted,
    problem: (value) =>
      namePattern.test(value)
        ? undefined
        : `found ${quote(value)}, wanted ${wanted}: lowercase letters, digits, dashes and dots`,
  });
}

/** Keys of labels and annotations: a name, after a domain and a slash if need be. */
const labelKeys = {
  pattern:
    "^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
  wanted: "a name of up to 63 letters, digits, dashes, underscores and dots, or domain/name",
  maxLength: maxNameLength + 64,
};

const labelValue = text({
  maxLength: 63,
  takesScalars: true,
  problem: (value) =>
    /^(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)?$/.test(value)
      ? undefined
      : `found ${quote(value)}, wanted letters, digits, dashes, underscores and dots`,
});

const labels = record(labelValue, { keys: labelKeys, max: maxKubernetesItems });
const annotations = record(text({ maxLength: 4_096, takesScalars: true }), {
  keys: labelKeys,
  max: maxKubernetesItems,
});

const toleration = object({
  key: optional(
    withExample("Taint to tolerate (default: all).", "gpu"),
    text({ maxLength: maxNameLength + 64, minLength: 1, wanted: "the key of a taint" }),
  ),
  value: optional(withExample("Value of the taint (default: any).", "true"), labelValue),
  effect: optional("Effect to tolerate (default: all).", choice(tolerationEffects)),
  seconds: optional(
    withExample(
      "Seconds after which the pod is evicted all the same, for the effect `NoExecute`.",
      300,
    ),
    integer({ min: 0, max: 31_536_000 }),
  ),
});

const requests = object({
  cpus: withDefault(
    withExample("Processors to reserve (default: `cpus`).", 0.5),
    text({
      maxLength: maxLineLength,
      minLength: 1,
      takesScalars: true,
      wanted: "a number of processors",
      problem: cpusProblem,
    }),
    "",
  ),
  memory: optional(
    withExample("Memory to reserve (default: `memory`).", "1GiB"),
    size(memoryRange),
  ),
});

const fields = object({
  requests: optional("Resources to reserve on the node, which the container may exceed.", requests),
  storage_class: withDefault(
    withExample("Storage class of the volumes (default: that of the cluster).", "fast"),
    objectName("the name of a storage class"),
    "",
  ),
  volume_size: withDefault(
    withExample("Size of each volume.", "20GiB"),
    size(storageRange),
    defaultVolumeBytes,
    "10GiB",
  ),
  node_selector: optionalMap(
    withExample("Labels of the nodes on which it may run.", { pool: "workspaces" }),
    labels,
  ),
  tolerations: withDefault(
    withExample("Taints of nodes on which it may run all the same.", [{ key: "gpu" }]),
    list(toleration, { max: maxKubernetesItems }),
    [],
  ),
  runtime_class: withDefault(
    withExample("Runtime class. The operator must allow `runtime-classes`.", "gvisor"),
    objectName("the name of a runtime class"),
    "",
  ),
  service_account: withDefault(
    withExample(
      "Service account whose rights programs in the workspace have (default: none). The operator must allow `service-accounts`.",
      "deployer",
    ),
    objectName("the name of a service account"),
    "",
  ),
  image_pull_secrets: withDefault(
    withExample("Secrets with the credentials of registries, by name.", ["registry"]),
    list(objectName("the name of a secret"), { max: maxKubernetesItems }),
    [],
  ),
  labels: optionalMap(withExample("Labels of the pod.", { team: "platform" }), labels),
  annotations: optionalMap(
    withExample("Annotations of the pod.", { "example.com/cost-center": "42" }),
    annotations,
  ),
  patch: optional(
    withExample(
      "Strategic merge patch of the pod's specification, applied last; the container is `workspace`. The operator must allow `patches`.",
      { priorityClassName: "workspaces" },
    ),
    plainMap,
  ),
});

/** The settings of a container that only Kubernetes knows. */
export const kubernetes: Shape<KubernetesDefinition> = transform(
  refine(fields, checkReserved),
  (read) => ({
    requests: {
      cpus: read.requests?.cpus ? Number(read.requests.cpus) : undefined,
      memoryBytes: read.requests?.memory,
    },
    storageClass: read.storage_class,
    volumeBytes: read.volume_size,
    nodeSelector: Object.fromEntries(read.node_selector),
    tolerations: read.tolerations,
    runtimeClass: read.runtime_class,
    serviceAccount: read.service_account,
    imagePullSecrets: read.image_pull_secrets,
    labels: Object.fromEntries(read.labels),
    annotations: Object.fromEntries(read.annotations),
    patch: read.patch ?? {},
  }),
);

/** Refuses labels and annotations by which the server finds its own pods. */
function checkReserved(
  read: {
    readonly labels: readonly (readonly [string, string])[];
    readonly annotations: readonly (readonly [string, string])[];
  },
  location: Location,
  reader: Reader,
): void {
  for (const field of ["labels", "annotations"] as const) {
    for (const [key] of read[field]) {
      if (!/^(?:slipway|app\.kubernetes\.io|statefulset\.kubernetes\.io)\//.test(key)) continue;
      reader.reportKey(
        reader.child(location, field, key),
        `found \`${key}\`, which the server sets, wanted another name`,
      );
    }
  }
}
