import { type JsonObject, numberOf, objectOf, textOf } from "@slipway/runtime";

import { kinds, type ObjectKind } from "./cluster-objects.ts";

/** A kind of object that keeps one pod running for an agent. */
export interface PodOwner {
  readonly kind: ObjectKind;
  /** Returns the name of the pod. */
  podName(name: string): string;
  /** Returns the object that runs a pod; `selector` are the labels of that pod. */
  running(metadata: JsonObject, selector: JsonObject, template: JsonObject): JsonObject;
  /** The change that ends the pod and keeps everything else. */
  readonly suspension: JsonObject;
  isSuspended(object: JsonObject): boolean;
}

/** An object of agent-sandbox, whose controller runs the pod. */
export const sandbox: PodOwner = {
  kind: kinds.sandboxes,
  podName: (name) => name,
  running: (metadata, _selector, podTemplate) => ({
    metadata,
    spec: { operatingMode: "Running", podTemplate },
  }),
  suspension: { spec: { operatingMode: "Suspended" } },
  isSuspended: (object) => objectOf(object["spec"])["operatingMode"] === "Suspended",
};

/** A set of one. It replaces its pod when that is gone, and never otherwise: the driver decides that. */
export const statefulSet: PodOwner = {
  kind: kinds.statefulSets,
  podName: (name) => `${name}-0`,
  running: (metadata, selector, template) => ({
    metadata,
    spec: {
      replicas: 1,
      serviceName: textOf(metadata["name"]),
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "OnDelete" },
      selector: { matchLabels: selector },
      template,
    },
  }),
  suspension: { spec: { replicas: 0 } },
  isSuspended: (object) => numberOf(objectOf(object["spec"])["replicas"]) === 0,
};
