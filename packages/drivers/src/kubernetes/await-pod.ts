import { type JsonObject, objectOf, textOf } from "@slipway/runtime";

import { DriverError } from "../errors.ts";
import type { ClusterContext } from "./cluster-context.ts";
import { kinds, listPath, nameOf, type ObjectKind, readObject, uidOf } from "./cluster-objects.ts";
import { readMarks } from "./pod-marks.ts";
import { PodStart, type StartOutcome, type StartStep } from "./pod-start.ts";
import { type ObjectEvent, watchObjects } from "./watch-objects.ts";

/** The time for which the API server may be away while a pod starts or ends, in milliseconds. */
const patienceMs = 120_000;
/** The time between looks for the owner of a pod that starts, in milliseconds. */
const ownerLookMs = 5_000;

interface StartedPod {
  readonly agentName: string;
  /** The kind and the name of the object that owns the pod. */
  readonly kind: ObjectKind;
  readonly name: string;
  readonly podName: string;
  readonly tokenHash: string;
  readonly timeoutMs: number;
}

const stage = "Starting agents";

/**
 * Waits until a pod runs that `begin` causes to be created, and logs its progress. Throws `not-startable` if it cannot run
 * or does not in time, with the reason.
 */
export async function awaitRunning(
  context: ClusterContext,
  { agentName, kind, name, podName, tokenHash, timeoutMs }: StartedPod,
  begin: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { connection, deploymentId, clock, log } = context;
  const start = new PodStart((pod) => readMarks(pod, deploymentId)?.tokenHash === tokenHash);
  const done = Promise.withResolvers<StartOutcome>();
  const take = ({ lines, outcome }: StartStep): void => {
    for (const line of lines) log.write("info", stage, `agent ${agentName}: ${line}`);
    if (outcome !== undefined) done.resolve(outcome);
  };
  const late = async (stop: AbortSignal): Promise<never> => {
    await clock.sleep(timeoutMs, stop);
    throw new DriverError(
      "not-startable",
      `agent ${agentName} does not run after ${timeoutMs / 1000} s: ${start.reason}`,
    );
  };
  // Nothing else tells of it: a set's pod and its events may go before it.
  const ownerless = async (stop: AbortSignal): Promise<never> => {
    for (;;) {
      await clock.sleep(ownerLookMs, stop);
      // While the API server is away, the watches decide.
      const owner = await readObject(connection, kind, name, stop).catch(() => "unknown" as const);
      if (owner !== undefined) continue;
      throw new DriverError(
        "not-startable",
        `agent ${agentName} cannot start: its ${kind.kind} ${name} was deleted, perhaps with the namespace`,
      );
    }
  };
  const outcome = await whileWatching(
    context,
    [
      {
        selection: {
          path: listPath(connection, kinds.pods),
          fieldSelector: `metadata.name=${podName}`,
        },
        take: (event) => eachObject(event, (pod) => take(start.takePod(pod))),
      },
      {
        selection: eventsOf(context, podName),
        take: (event) => eachObject(event, (one) => take(start.takePodEvent(one))),
      },
      {
        selection: eventsOf(context, name),
        // Those there were before are about earlier builds.
        take: (event) => event.kind === "changed" && take(start.takeOwnerEvent(event.object)),
      },
    ],
    async (stop) => {
      await begin();
      return Promise.race([done.promise, late(stop), ownerless(stop)]);
    },
    signal,
  );
  if (outcome.kind === "running") return;
  throw new DriverError("not-startable", `agent ${agentName} cannot start: ${outcome.reason}`);
}

/** Waits until no pod of a selection is left, which `begin` causes to end. */
export async function awaitGone(
  context: ClusterContext,
  { selector, timeoutMs }: { readonly selector: string; readonly timeoutMs: number },
  begin: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const left = new Map<string, string>();
  const gone = Promise.withResolvers<void>();
  let hasBegun = false;
  const look = (): void => {
    if (hasBegun && left.size === 0) gone.resolve();
  };
  const take = (event: ObjectEvent): void => {
    if (event.kind === "listed") left.clear();
    eachObject(event, (pod) => left.set(uidOf(pod), nodeText(pod)));
    if (event.kind === "removed") left.delete(uidOf(event.object));
    look();
  };
  const pods = { path: listPath(context.connection, kinds.pods), labelSelector: selector };
  const late = async (stop: AbortSignal): Promise<never> => {
    await context.clock.sleep(timeoutMs, stop);
    const [pod = ""] = left.values();
    throw new DriverError(
      "still-running",
      `${pod} did not end within ${timeoutMs / 1000} s: if its node is lost, delete the node or force the deletion of the pod`,
    );
  };
  await whileWatching(
    context,
    [{ selection: pods, take }],
    async (stop) => {
      await begin();
      hasBegun = true;
      look();
      await Promise.race([gone.promise, late(stop)]);
    },
    signal,
  );
}

interface Watched {
  readonly selection: Parameters<typeof watchObjects>[1];
  readonly take: (event: ObjectEvent) => void;
}

/** Runs a task while it watches; the task begins once each watch has listed what there is. */
async function whileWatching<T>(
  { connection, clock }: ClusterContext,
  watched: readonly Watched[],
  task: (stop: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const ending = new AbortController();
  const stop = AbortSignal.any([signal, ending.signal]);
  const listed = watched.map(() => Promise.withResolvers<void>());
  const watches = watched.map(({ selection, take }, index) =>
    watchObjects(
      connection,
      selection,
      (event) => {
        take(event);
        if (event.kind === "listed") listed[index]?.resolve();
      },
      { clock, patienceMs },
      stop,
    ),
  );
  try {
    await Promise.race([Promise.all(listed.map(({ promise }) => promise)), ...watches]);
    return await Promise.race([task(stop), ...watches]);
  } finally {
    ending.abort();
    await Promise.allSettled(watches);
  }
}

function eventsOf({ connection }: ClusterContext, name: string): Watched["selection"] {
  return { path: listPath(connection, kinds.events), fieldSelector: `involvedObject.name=${name}` };
}

function nodeText(pod: JsonObject): string {
  const node = textOf(objectOf(pod["spec"])["nodeName"]);
  return `pod ${nameOf(pod)}${node === "" ? "" : ` on node ${node}`}`;
}

function eachObject(event: ObjectEvent, take: (object: JsonObject) => void): void {
  if (event.kind === "listed") for (const object of event.objects) take(object);
  else if (event.kind === "changed") take(event.object);
}
