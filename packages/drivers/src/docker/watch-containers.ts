import { numberOf, objectOf, textMapOf, textOf } from "@slipway/runtime";

import type { AgentEnd, DriverEvent } from "../driver.ts";
import { DriverError } from "../errors.ts";
import { inspectContainer } from "./engine-containers.ts";
import { jsonLines } from "./engine-streams.ts";
import type { Engine } from "./engine.ts";
import { hasLabels } from "./label-filters.ts";
import { isOriginal, kindFilter, labelNames, type Labels } from "./marks.ts";
import { shortId } from "./workspace-containers.ts";

/** The exit code of a process that was killed, as by the kernel when memory runs out. */
const killedExitCode = 137;

/** Containers whose `oom` event has come and whose `die` has not. */
const maxOutOfMemory = 10_000;

/** Reports the ends of a deployment's containers until the signal is aborted, with which it rejects. */
export async function watchContainers(
  engine: Engine,
  deploymentId: string,
  report: (event: DriverEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const labels = kindFilter({ deploymentId, kind: "agent" });
  const label = Object.entries(labels).map((pair) => pair.join("="));
  // Podman filters by `died`, and sends `die`.
  const filters = JSON.stringify({ type: ["container"], event: ["die", "died", "oom"], label });
  const request = { path: "/events", signal };
  const outOfMemory = new Set<string>();
  try {
    const body = await engine.connection.open({
      ...request,
      method: "GET",
      query: { filters },
      silenceMs: Infinity,
    });
    report({ kind: "watching" });
    for await (const line of jsonLines(body)) {
      const event = readEvent(line, labels);
      if (event === undefined) continue;
      if (event.action === "oom") {
        if (outOfMemory.size < maxOutOfMemory) outOfMemory.add(event.id);
        continue;
      }
      const sawOutOfMemory = outOfMemory.delete(event.id);
      const found = await inspectContainer(engine, event.id, signal);
      const isOutOfMemory =
        event.exitCode === killedExitCode && (sawOutOfMemory || found?.wasOutOfMemory === true);
      report(endOf(event, isOutOfMemory));
    }
  } catch (error) {
    throw engine.connection.failure(request, error);
  }
  signal.throwIfAborted();
  throw new DriverError("unavailable", "Docker closed the stream of events");
}

interface ContainerEvent {
  readonly action: "die" | "oom";
  readonly id: string;
  readonly labels: Labels;
  readonly exitCode: number | undefined;
}

/** Reads an event of one of our containers; undefined for any other. Its attributes include the container's labels. */
function readEvent(value: unknown, wanted: Labels): ContainerEvent | undefined {
  const event = objectOf(value);
  const actor = objectOf(event["Actor"]);
  const labels = textMapOf(actor["Attributes"]);
  const action = textOf(event["Action"]);
  const isOurs =
    isOriginal({ name: labels["name"] ?? "", labels }) && hasLabels({ labels }, wanted);
  if (!isOurs || (action !== "die" && action !== "oom")) return undefined;
  const code = labels["exitCode"] ?? labels["containerExitCode"];
  const exitCode = code === undefined ? undefined : numberOf(Number(code));
  return { action, id: textOf(actor["ID"]), labels, exitCode };
}

function endOf({ id, labels, exitCode }: ContainerEvent, isOutOfMemory: boolean): AgentEnd {
  const code = exitCode === undefined ? "" : ` with exit code ${exitCode}`;
  return {
    kind: isOutOfMemory ? "out-of-memory" : "ended",
    workspaceId: labels[labelNames.workspace] ?? "",
    agentId: labels[labelNames.agent] ?? "",
    tokenHash: labels[labelNames.tokenHash] ?? "",
    exitCode,
    detail: `container ${shortId(id)} ended${code}${isOutOfMemory ? ": out of memory" : ""}`,
  };
}
