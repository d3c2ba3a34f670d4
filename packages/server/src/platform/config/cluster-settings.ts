import { resolve } from "node:path";

import {
  type ClusterSource,
  type KubernetesDriverOptions,
  kubernetesPermissions,
} from "@slipway/drivers";

import { type NumberedForm, numberedReaders } from "./numbered-settings.ts";
import { readUrl, type Report, type SettingSource, webProtocols } from "./setting-source.ts";

/** A cluster, or a namespace of it, with the driver that runs agents in its pods. */
export interface ClusterSettings extends Pick<
  KubernetesDriverOptions,
  "name" | "source" | "namespace" | "allow" | "agentImage"
> {
  readonly variables: KubernetesDriverOptions["variables"] & { readonly accessUrl: string };
  /** The URL at which pods reach the server (default: the access URL). */
  readonly accessUrl: string | undefined;
}

const kind = "kubernetes";
const prefix = "SLIPWAY_KUBERNETES";

/** An image with `sh`, `wget`, `sha256sum` and `tar`, which downloads the agent from the server. */
const defaultAgentImage = "docker.io/library/busybox:1.37";

const namespaceForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Reads the clusters: the one that `SLIPWAY_KUBERNETES` names, and the numbered ones. */
export function readClusters(source: SettingSource, report: Report): readonly ClusterSettings[] {
  const common = {
    accessUrl: readUrl(source, `${prefix}_ACCESS_URL`, webProtocols, report)?.replace(/\/+$/, ""),
    agentImage: source[`${prefix}_AGENT_IMAGE`] || defaultAgentImage,
  };
  const main = readSource(source, source[prefix] ?? "", source[`${prefix}_CONTEXT`]);
  const words = (source[`${prefix}_ALLOW`] ?? "").split(",").map((word) => word.trim());
  const limits = checkLimits(source[`${prefix}_NAMESPACE`] || undefined, words, (key, wanted) =>
    report(`${prefix}_${key}`, wanted),
  );
  const variables = { source: prefix, ...variablesOf(prefix) };
  const first =
    main === undefined ? [] : [{ ...common, ...limits, name: kind, variables, source: main }];
  return [...first, ...readNumbered(source, common, report)];
}

/** Checks the place of a cluster's pods and what templates may wish there; reports problems by the end of the variable. */
function checkLimits(
  namespace: string | undefined,
  words: readonly string[],
  report: (key: "NAMESPACE" | "ALLOW", wanted: string) => undefined,
): Pick<ClusterSettings, "namespace" | "allow"> {
  if (namespace !== undefined && !namespaceForm.test(namespace)) {
    report("NAMESPACE", "the name of a namespace: lowercase letters, digits and dashes");
  }
  const given = new Set(words.filter((word) => word !== ""));
  const allow = new Set(kubernetesPermissions.filter((permission) => given.has(permission)));
  if (allow.size < given.size) {
    report("ALLOW", `some of ${kubernetesPermissions.join(", ")}, separated by commas`);
  }
  return { namespace, allow };
}

/** Returns the variables of a cluster, for messages. */
function variablesOf(beginning: string): Omit<ClusterSettings["variables"], "source"> {
  return { allow: `${beginning}_ALLOW`, accessUrl: `${beginning}_ACCESS_URL` };
}

/** Returns the place of a cluster's credentials; undefined if it is off. */
function readSource(
  source: SettingSource,
  text: string,
  context: string | undefined,
): ClusterSource | undefined {
  if (text === "" || text === "off") return undefined;
  if (text !== "in-cluster") {
    return { kind: "kubeconfig", path: resolve(text), context: context || undefined };
  }
  const host = source["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = source["KUBERNETES_SERVICE_PORT"] ?? "";
  return { kind: "in-cluster", environment: { host, port } };
}

const keys = {
  ID: "name of the cluster, as in driver: kubernetes/<id>",
  KUBECONFIG: "path of a kubeconfig, or in-cluster",
  CONTEXT: "context of the kubeconfig",
  NAMESPACE: "namespace of the workspaces",
  ALLOW: "what templates may ask for: patches, runtime-classes, service-accounts",
  ACCESS_URL: "URL at which these pods reach the server",
  AGENT_IMAGE: "image that brings the agent into these pods",
} as const;
type Key = keyof typeof keys;

export const clusterForm = {
  prefixes: [prefix],
  keys,
  max: 16,
  noun: "clusters",
} as const satisfies NumberedForm<Key>;

/** Names of drivers have at most 32 characters. */
const idForm = /^(?=.{1,21}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;

function readNumbered(
  source: SettingSource,
  common: Pick<ClusterSettings, "accessUrl" | "agentImage">,
  report: Report,
): readonly ClusterSettings[] {
  const clusters: ClusterSettings[] = [];
  for (const reader of numberedReaders(clusterForm, source, report)) {
    const id = reader.text("ID") ?? "";
    if (!idForm.test(id)) {
      reader.report("ID", "a name of at most 21 lowercase letters, digits and single dashes");
    }
    const name = `${kind}/${id}`;
    if (clusters.some((one) => one.name === name)) {
      reader.report("ID", "an id that no other cluster has");
    }
    const place = readSource(source, reader.text("KUBECONFIG") ?? "", reader.text("CONTEXT"));
    if (place === undefined) {
      reader.report("KUBECONFIG", "the path of a kubeconfig, or in-cluster");
      continue;
    }
    const words = reader.list("ALLOW", []);
    const limits = checkLimits(reader.text("NAMESPACE"), words, (key, wanted) =>
      reader.report(key, wanted),
    );
    const { beginning } = reader;
    clusters.push({
      ...limits,
      name,
      variables: { source: `${beginning}_KUBECONFIG`, ...variablesOf(beginning) },
      source: place,
      accessUrl: reader.url("ACCESS_URL")?.replace(/\/+$/, "") ?? common.accessUrl,
      agentImage: reader.text("AGENT_IMAGE") ?? common.agentImage,
    });
  }
  return clusters;
}
