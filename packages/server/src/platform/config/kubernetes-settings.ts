import { resolve } from "node:path";

import {
  type ClusterSource,
  type KubernetesPermission,
  kubernetesPermissions,
} from "@slipway/drivers";

import { readUrl, type Report, type SettingSource, webProtocols } from "./setting-source.ts";

/** The driver that runs agents in pods. */
export interface KubernetesSettings {
  /** Undefined if the driver is off. */
  readonly source: ClusterSource | undefined;
  /** The namespace of all pods (default: that of the source). */
  readonly namespace: string | undefined;
  readonly allow: ReadonlySet<KubernetesPermission>;
  /** The URL at which pods reach the server (default: the access URL). */
  readonly accessUrl: string | undefined;
  /** The image that brings the agent into pods. */
  readonly agentImage: string;
}

/** An image with `sh`, `wget`, `sha256sum` and `tar`, which downloads the agent from the server. */
const defaultAgentImage = "docker.io/library/busybox:1.37";

export function readKubernetesSettings(source: SettingSource, report: Report): KubernetesSettings {
  const accessUrl = readUrl(source, "SLIPWAY_KUBERNETES_ACCESS_URL", webProtocols, report);
  return {
    source: readSource(source),
    namespace: readNamespace(source, report),
    allow: readPermissions(source, report),
    accessUrl: accessUrl?.replace(/\/+$/, ""),
    agentImage: source["SLIPWAY_KUBERNETES_AGENT_IMAGE"] || defaultAgentImage,
  };
}

function readSource(source: SettingSource): ClusterSource | undefined {
  const text = source["SLIPWAY_KUBERNETES"] ?? "";
  const context = source["SLIPWAY_KUBERNETES_CONTEXT"] || undefined;
  if (text === "" || text === "off") return undefined;
  if (text !== "in-cluster") return { kind: "kubeconfig", path: resolve(text), context };
  const host = source["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = source["KUBERNETES_SERVICE_PORT"] ?? "";
  return { kind: "in-cluster", environment: { host, port } };
}

function readNamespace(source: SettingSource, report: Report): string | undefined {
  const name = "SLIPWAY_KUBERNETES_NAMESPACE";
  const text = source[name] ?? "";
  if (text === "") return undefined;
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  return report(name, "the name of a namespace: lowercase letters, digits and dashes");
}

function readPermissions(source: SettingSource, report: Report): ReadonlySet<KubernetesPermission> {
  const name = "SLIPWAY_KUBERNETES_ALLOW";
  const words = (source[name] ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const known = kubernetesPermissions.filter((permission) => words.includes(permission));
  if (known.length < new Set(words).size) {
    report(name, `some of ${kubernetesPermissions.join(", ")}, separated by commas`);
  }
  return new Set(known);
}
