import { type JsonObject, objectOf, textOf } from "@slipway/runtime";

import { isEnding, uidOf } from "./cluster-objects.ts";
import { type ContainerState, containerStates, isRunningPod } from "./pod-state.ts";

/** The progress of a pod's start: lines for people, and how it ended, if it did. */
export interface StartStep {
  readonly lines: readonly string[];
  readonly outcome: StartOutcome | undefined;
}

export type StartOutcome =
  | { readonly kind: "running" }
  | { readonly kind: "failed"; readonly reason: string };

/** The events that wait for the pod that they are about, and the lines that are not repeated. */
const maxEvents = 100;
const maxLines = 200;
const maxLineLength = 1_000;

/** The restarts of a container after which a start has failed: the server may be away for a moment. */
const maxRestarts = 3;

/** The events whose messages tell people how a start proceeds. */
const progressReasons: ReadonlySet<string> = new Set([
  "Scheduled",
  "Pulling",
  "Pulled",
  "SuccessfulAttachVolume",
  "ProvisioningSucceeded",
  "TriggeredScaleUp",
]);

/** States of a container that do not pass by themselves. */
const fatalReasons: ReadonlySet<string> = new Set([
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

/** Answers of registries that do not change by waiting. */
const fatalPull = /not found|does not exist|denied|unauthorized|forbidden|manifest unknown/i;

/**
 * The start of an agent's pod: takes what the cluster reports about the pod and about the object that owns it, and says
 * what happens in words. `isWanted` tells the pod of this start from one that it replaces.
 */
export class PodStart {
  readonly #isWanted: (pod: JsonObject) => boolean;
  readonly #written = new Set<string>();
  #uid: string | undefined;
  #early: JsonObject[] = [];
  #reason = "its pod has not been created";

  constructor(isWanted: (pod: JsonObject) => boolean) {
    this.#isWanted = isWanted;
  }

  /** The reason why the pod does not run yet. */
  get reason(): string {
    return this.#reason;
  }

  takePod(pod: JsonObject): StartStep {
    if (isEnding(pod) || !this.#isWanted(pod)) return nothing;
    if (isRunningPod(pod)) return { lines: [], outcome: { kind: "running" } };
    const uid = uidOf(pod);
    const isNew = uid !== this.#uid;
    this.#uid = uid;
    if (isNew) this.#reason = "its pod waits for a node";
    const early = this.#early.filter((event) => subjectOf(event) === uid);
    if (isNew) this.#early = [];
    const lines = early.flatMap((event) => this.takePodEvent(event).lines);
    const problem = containerStates(pod).map(containerProblem).find(Boolean);
    if (problem === undefined) return { lines, outcome: undefined };
    this.#reason = problem.reason;
    const outcome = problem.isFatal
      ? ({ kind: "failed", reason: problem.reason } as const)
      : undefined;
    return { lines: [...lines, ...this.#line(problem.reason)], outcome };
  }

  takePodEvent(event: JsonObject): StartStep {
    if (this.#uid === undefined) {
      if (this.#early.length < maxEvents) this.#early.push(event);
      return nothing;
    }
    if (subjectOf(event) !== this.#uid) return nothing;
    const { reason, message, isWarning } = readEvent(event);
    // The state of the container says more.
    if (reason === "BackOff" || /^Error: \w+$/.test(message)) return nothing;
    if (isWarning) this.#reason = warningText(reason, message);
    if (!isWarning && !progressReasons.has(reason)) return nothing;
    return {
      lines: this.#line(isWarning ? warningText(reason, message) : message),
      outcome: undefined,
    };
  }

  /** Takes an event of the object that owns the pod: a quota or a policy may refuse the pod. */
  takeOwnerEvent(event: JsonObject): StartStep {
    const { reason, message, isWarning } = readEvent(event);
    if (!isWarning) return nothing;
    this.#reason = warningText(reason, message);
    const isFatal = reason === "FailedCreate" && /forbidden|invalid/i.test(message);
    return {
      lines: this.#line(this.#reason),
      outcome: isFatal ? { kind: "failed", reason: this.#reason } : undefined,
    };
  }

  #line(text: string): readonly string[] {
    const line = text.replaceAll(/\s+/g, " ").trim().slice(0, maxLineLength);
    if (line === "" || this.#written.has(line) || this.#written.size >= maxLines) return [];
    this.#written.add(line);
    return [line];
  }
}

const nothing: StartStep = { lines: [], outcome: undefined };

/** Returns the uid of the object that an event is about. */
function subjectOf(event: JsonObject): string {
  return textOf(objectOf(event["involvedObject"])["uid"]);
}

interface ReadEvent {
  readonly reason: string;
  readonly message: string;
  readonly isWarning: boolean;
}

function readEvent(event: JsonObject): ReadEvent {
  return {
    reason: textOf(event["reason"]),
    message: textOf(event["message"]),
    isWarning: event["type"] === "Warning",
  };
}

function warningText(reason: string, message: string): string {
  const words = warnings[reason];
  return words === undefined ? message || reason : `${words}: ${message}`;
}

const warnings: Readonly<Record<string, string>> = {
  FailedScheduling: "no node fits",
  FailedMount: "a volume cannot be mounted",
  FailedAttachVolume: "a volume cannot be attached",
  FailedCreate: "the cluster refuses the pod",
  FailedCreatePodSandBox: "the node cannot create the pod",
};

interface ContainerProblem {
  readonly reason: string;
  readonly isFatal: boolean;
}

function containerProblem({
  name,
  state,
  last,
  restarts,
}: ContainerState): ContainerProblem | undefined {
  const which = `container ${name}`;
  if (state.kind === "running") return undefined;
  if (state.kind === "terminated") {
    if (state.exitCode === 0) return undefined;
    return {
      reason: `${which} ended with exit code ${state.exitCode}${outputText(state.message)}`,
      isFatal: restarts >= maxRestarts,
    };
  }
  const { reason, message } = state;
  if (reason === "ErrImagePull" || reason === "ImagePullBackOff") {
    return { reason: `${which}: ${message || reason}`, isFatal: fatalPull.test(message) };
  }
  if (reason === "CrashLoopBackOff") {
    const ending = last === undefined ? "" : ` with exit code ${last.exitCode}`;
    return {
      reason: `${which} ends again and again${ending}${outputText(last?.message ?? "")}`,
      isFatal: restarts >= maxRestarts,
    };
  }
  if (!fatalReasons.has(reason)) return undefined;
  return { reason: `${which}: ${reason}: ${message}`, isFatal: true };
}

function outputText(message: string): string {
  return message === "" ? "" : `: ${message}`;
}
