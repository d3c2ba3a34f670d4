import type { JsonObject } from "@slipway/runtime";

import type { AgentEnd, DriverEvent } from "../driver.ts";
import type { ClusterContext } from "./cluster-context.ts";
import { kinds, listPath, nameOf, uidOf } from "./cluster-objects.ts";
import { agentSelector, type MarkedAgent, readMarks } from "./pod-marks.ts";
import { disruptionOf, mainState, type Termination } from "./pod-state.ts";
import { type ObjectEvent, watchObjects } from "./watch-objects.ts";

/** The time for which the API server may be away before the watch fails and starts over, in milliseconds. */
const patienceMs = 60_000;

/** Reports the ends of a deployment's agents until the signal is aborted, with which it rejects. */
export async function watchPods(
  { connection, deploymentId, clock }: Omit<ClusterContext, "log">,
  report: (event: DriverEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const ends = new PodEnds(deploymentId);
  const selection = {
    path: listPath(connection, kinds.pods),
    labelSelector: agentSelector(deploymentId),
  };
  let isWatching = false;
  const take = (event: ObjectEvent): void => {
    const found = ends.take(event);
    if (!isWatching) report({ kind: "watching" });
    isWatching = true;
    for (const end of found) report(end);
  };
  await watchObjects(connection, selection, take, { clock, patienceMs }, signal);
}

/** A pod as it was last seen. */
interface KnownPod {
  readonly marks: MarkedAgent;
  readonly pod: JsonObject;
  readonly isRunning: boolean;
  readonly restarts: number;
}

/** Finds out from the states of pods which agents ended. */
export class PodEnds {
  readonly #deploymentId: string;
  readonly #known = new Map<string, KnownPod>();

  constructor(deploymentId: string) {
    this.#deploymentId = deploymentId;
  }

  take(event: ObjectEvent): readonly AgentEnd[] {
    switch (event.kind) {
      case "listed": {
        const left = new Set(event.objects.map(uidOf));
        const gone = [...this.#known].filter(([uid]) => !left.has(uid));
        return [
          ...gone.flatMap(([uid, { pod }]) => this.#remove(uid, pod)),
          ...event.objects.flatMap((pod) => this.#change(pod)),
        ];
      }
      case "changed":
        return this.#change(event.object);
      case "removed":
        return this.#remove(uidOf(event.object), event.object);
    }
  }

  #change(pod: JsonObject): readonly AgentEnd[] {
    const marks = readMarks(pod, this.#deploymentId);
    if (marks === undefined) return [];
    const uid = uidOf(pod);
    const before = this.#known.get(uid);
    const main = mainState(pod);
    const isRunning = main?.state.kind === "running";
    const restarts = main?.restarts ?? 0;
    this.#known.set(uid, { marks, pod, isRunning, restarts });
    if (before?.isRunning !== true || main === undefined) return [];
    if (isRunning && restarts === before.restarts) return [];
    const ending = main.state.kind === "terminated" ? main.state : main.last;
    return [endOf(marks, pod, ending)];
  }

  #remove(uid: string, pod: JsonObject): readonly AgentEnd[] {
    const known = this.#known.get(uid);
    this.#known.delete(uid);
    if (known?.isRunning !== true) return [];
    const { state } = mainState(pod) ?? {};
    return [endOf(known.marks, pod, state?.kind === "terminated" ? state : undefined)];
  }
}

function endOf(
  { workspaceId, agentId, tokenHash }: MarkedAgent,
  pod: JsonObject,
  ending: Termination | undefined,
): AgentEnd {
  const isOutOfMemory = ending?.reason === "OOMKilled";
  const code = ending === undefined ? "" : ` with exit code ${ending.exitCode}`;
  const why = isOutOfMemory ? "out of memory" : disruptionOf(pod);
  return {
    kind: isOutOfMemory ? "out-of-memory" : "ended",
    workspaceId,
    agentId,
    tokenHash,
    exitCode: ending?.exitCode,
    detail: `pod ${nameOf(pod)} ended${code}${why === "" ? "" : `: ${why}`}`,
  };
}
