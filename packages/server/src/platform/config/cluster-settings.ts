import { resolve } from "node:path";

import {
  type ClusterSource,
  type KubernetesDriverOptions,
  type KubernetesPermission,
  kubernetesPermissions,
} from "@slipway/drivers";

import { type NumberedForm, NumberedReader, numbersOf } from "./numbered-settings.ts";
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
const wantedNamespace = "the name of a namespace: lowercase letters, digits and dashes";
const wantedPermissions = `some of ${kubernetesPermissions.join(", ")}, separated by commas`;

/** Reads the clusters: the one that `SLIPWAY_KUBERNETES` names, and the numbered ones. */
export function readClusters(source: SettingSource, report: Report): readonly ClusterSettings[] {
  const common = {
    accessUrl: readUrl(source, `${prefix}_ACCESS_URL`, webProtocols, report)?.replace(/\/+$/, ""),
    agentImage: source[`${prefix}_AGENT_IMAGE`] || defaultAgentImage,
  };
  const namespace = source[`${prefix}_NAMESPACE`] || undefined;
  if (namespace !== undefined && !namespaceForm.test(namespace)) {
    report(`${prefix}_NAMESPACE`, wantedNamespace);
  }
  const words = (source[`${prefix}_ALLOW`] ?? "").split(",").map((word) => word.trim());
  const main = readSource(source, source[prefix] ?? "", source[`${prefix}_CONTEXT`]);
  const allow = permissionsOf(words) ?? report(`${prefix}_ALLOW`, wantedPermissions) ?? new Set();
  const variables = {
    source: prefix,
    allow: `${prefix}_ALLOW`,
    accessUrl: `${prefix}_ACCESS_URL`,
  };
  const first =
    main === undefined
      ? []
      : [{ ...common, name: kind, variables, source: main, namespace, allow }];
  return [...first, ...readNumbered(source, common, report)];
}

/** Returns the permissions that words name; undefined if one is unknown. */
function permissionsOf(words: readonly string[]): ReadonlySet<KubernetesPermission> | undefined {
  const given = new Set(words.filter((word) => word !== ""));
  const known = kubernetesPermissions.filter((permission) => given.has(permission));
  return known.length < given.size ? undefined : new Set(known);
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

const keys = [
  "ID",
  "KUBECONFIG",
  "CONTEXT",
  "NAMESPACE",
  "ALLOW",
  "ACCESS_URL",
  "AGENT_IMAGE",
] as const;
type Key = (typeof keys)[number];

const form = {
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
  for (const number of numbersOf(form, source, report)) {
    const reader = new NumberedReader(form, source, number, report);
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
    const namespace = reader.text("NAMESPACE");
    if (namespace !== undefined && !namespaceForm.test(namespace)) {
      reader.report("NAMESPACE", wantedNamespace);
    }
    const variableOf = (key: Key): string => `${prefix}_${number}_${key}`;
    clusters.push({
      name,
      variables: {
        source: variableOf("KUBECONFIG"),
        allow: variableOf("ALLOW"),
        accessUrl: variableOf("ACCESS_URL"),
      },
      source: place,
      namespace,
      allow:
        permissionsOf(reader.list("ALLOW", [])) ??
        reader.report("ALLOW", wantedPermissions) ??
        new Set(),
      accessUrl: reader.url("ACCESS_URL")?.replace(/\/+$/, "") ?? common.accessUrl,
      agentImage: reader.text("AGENT_IMAGE") ?? common.agentImage,
    });
  }
  return clusters;
}
