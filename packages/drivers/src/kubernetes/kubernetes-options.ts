import type { Clock, Logger } from "@slipway/runtime";

import type { AgentArchive, ArchiveRequest } from "../docker/docker-options.ts";
import type { ClusterSource } from "./kubeconfig.ts";

/**
 * The wishes of a template that choose how far a pod is from its node and from the cluster's API. The operator permits
 * each by its name (`SLIPWAY_KUBERNETES_ALLOW`).
 */
export const kubernetesPermissions = ["patches", "runtime-classes", "service-accounts"] as const;

export type KubernetesPermission = (typeof kubernetesPermissions)[number];

/** The names of the variables of a cluster: its source, and what templates may wish. */
export interface KubernetesVariables {
  readonly source: string;
  readonly allow: string;
}

export interface KubernetesDriverOptions {
  /** `kubernetes`, or `kubernetes/` and the name of one of several clusters. */
  readonly name: string;
  /** The variables that operators set, for messages. */
  readonly variables: KubernetesVariables;
  readonly source: ClusterSource;
  /** Undefined for the namespace of the source. */
  readonly namespace: string | undefined;
  /** The wishes that templates may have. */
  readonly allow: ReadonlySet<KubernetesPermission>;
  /** The image that brings the agent into pods: it has the agent, or `sh` with the programs to download it. */
  readonly agentImage: string;
  /** Returns the agent's archive, which is made or downloaded if this installation lacks it. */
  readonly readArchive: (request: ArchiveRequest) => Promise<Pick<AgentArchive, "hash">>;
  /** Returns the URL at which pods reach the server. */
  readonly podUrl: () => string;
  /** Distinguishes the objects of deployments that share a namespace. */
  readonly deploymentId: string;
  /** The time in which a pod must run, in milliseconds. */
  readonly startTimeoutMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
}
