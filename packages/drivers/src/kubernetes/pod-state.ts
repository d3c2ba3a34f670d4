import { type JsonObject, listOf, numberOf, objectOf, textOf } from "@slipway/runtime";

import { isEnding } from "./cluster-objects.ts";
import { mainContainer } from "./pod-marks.ts";

/** A container of a pod, as the kubelet reports it. */
export interface ContainerState {
  readonly name: string;
  readonly restarts: number;
  readonly state:
    | { readonly kind: "waiting"; readonly reason: string; readonly message: string }
    | { readonly kind: "running"; readonly sinceMs: number }
    | ({ readonly kind: "terminated" } & Termination);
  /** The end of the run before. */
  readonly last: Termination | undefined;
}

export interface Termination {
  /** Such as `OOMKilled` or `Error`. */
  readonly reason: string;
  readonly exitCode: number;
  /** The end of the container's output, if it failed. */
  readonly message: string;
}

/** Reads the containers of a pod, those that run first before the others. */
export function containerStates(pod: JsonObject): readonly ContainerState[] {
  const status = objectOf(pod["status"]);
  return [...listOf(status["initContainerStatuses"]), ...listOf(status["containerStatuses"])].map(
    (one) => readContainer(objectOf(one)),
  );
}

/** Returns the container of the workspace; undefined before the kubelet knows it. */
export function mainState(pod: JsonObject): ContainerState | undefined {
  return containerStates(pod).find(({ name }) => name === mainContainer);
}

/** Returns whether the workspace's container runs, in a pod that is to stay. */
export function isRunningPod(pod: JsonObject): boolean {
  return !isEnding(pod) && mainState(pod)?.state.kind === "running";
}

function readContainer(status: JsonObject): ContainerState {
  const last = objectOf(objectOf(status["lastState"])["terminated"]);
  return {
    name: textOf(status["name"]),
    restarts: numberOf(status["restartCount"]),
    state: readState(objectOf(status["state"])),
    last: last["reason"] === undefined ? undefined : readTermination(last),
  };
}

function readState(state: JsonObject): ContainerState["state"] {
  if (state["running"] !== undefined) {
    const sinceMs = Date.parse(textOf(objectOf(state["running"])["startedAt"]));
    return { kind: "running", sinceMs: Number.isNaN(sinceMs) ? 0 : sinceMs };
  }
  if (state["terminated"] !== undefined) {
    return { kind: "terminated", ...readTermination(objectOf(state["terminated"])) };
  }
  const waiting = objectOf(state["waiting"]);
  return {
    kind: "waiting",
    reason: textOf(waiting["reason"]),
    message: textOf(waiting["message"]),
  };
}

function readTermination(terminated: JsonObject): Termination {
  return {
    reason: textOf(terminated["reason"]),
    exitCode: numberOf(terminated["exitCode"]),
    message: textOf(terminated["message"]).trim(),
  };
}

/** Returns why a pod ends or ended as a whole, as a fragment; empty if nothing tells. */
export function disruptionOf(pod: JsonObject): string {
  const status = objectOf(pod["status"]);
  const conditions = listOf(status["conditions"]).map(objectOf);
  const target = conditions.find(
    ({ type, status: isTrue }) => type === "DisruptionTarget" && isTrue === "True",
  );
  const reason = textOf(target?.["reason"]) || textOf(status["reason"]);
  const message = textOf(target?.["message"]) || textOf(status["message"]);
  const words = disruptions[reason] ?? reason;
  return message === "" || words === "" ? words : `${words} (${message})`;
}

const disruptions: Readonly<Record<string, string>> = {
  EvictionByEvictionAPI: "evicted, as by a drain of its node",
  TerminationByKubelet: "ended by its node",
  PreemptionByScheduler: "replaced by a pod of higher priority",
  DeletionByTaintManager: "evicted because its node is lost or tainted",
  DeletionByPodGC: "deleted because its node is gone",
  Evicted: "evicted by its node",
  NodeLost: "lost with its node",
};
