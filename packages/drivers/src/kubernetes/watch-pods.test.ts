import { expect, it } from "vitest";

import { agentAnnotations, agentLabels, agentObjectName } from "./pod-marks.ts";
import { PodEnds } from "./watch-pods.ts";

const place = { deploymentId: "d", workspaceId: "w" };

interface PodFields {
  readonly uid?: string;
  readonly restarts?: number;
  readonly state?: unknown;
  readonly lastState?: unknown;
  readonly status?: Readonly<Record<string, unknown>>;
}

function podWith({ uid = "u", restarts = 0, state, lastState, status }: PodFields) {
  return {
    metadata: {
      uid,
      name: `${agentObjectName(place, "main")}-0`,
      labels: agentLabels(place, "main"),
      annotations: agentAnnotations({ id: "a", token: "t" }, "b"),
    },
    status: {
      containerStatuses: [{ name: "workspace", restartCount: restarts, state, lastState }],
      ...status,
    },
  };
}

const running = { running: { startedAt: "2026-11-30T12:00:00Z" } };
const changed = (fields: PodFields) => ({ kind: "changed", object: podWith(fields) }) as const;

function follow(): PodEnds {
  const ends = new PodEnds("d");
  expect(ends.take({ kind: "listed", objects: [podWith({ state: running })] })).toEqual([]);
  return ends;
}

it("reports a container that ended, once", () => {
  const ends = follow();
  const state = { terminated: { reason: "OOMKilled", exitCode: 137 } };
  expect(ends.take(changed({ state }))).toEqual([
    expect.objectContaining({
      kind: "out-of-memory",
      workspaceId: "w",
      agentId: "a",
      exitCode: 137,
      detail: expect.stringMatching(/^pod ws-main-\w+-0 ended with exit code 137: out of memory$/),
    }),
  ]);
  expect(ends.take(changed({ state }))).toEqual([]);
});

it("reports a container that began anew between two looks", () => {
  const lastState = { terminated: { reason: "Error", exitCode: 3 } };
  expect(follow().take(changed({ state: running, restarts: 1, lastState }))).toMatchObject([
    { kind: "ended", exitCode: 3 },
  ]);
});

it("reports a pod that is gone, with what ended it", () => {
  const conditions = [
    { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", message: "drain" },
  ];
  const object = podWith({ state: running, status: { conditions } });
  expect(follow().take({ kind: "removed", object })).toMatchObject([
    { detail: expect.stringContaining("ended: evicted, as by a drain of its node (drain)") },
  ]);
});

it("reports what ended while nobody watched", () => {
  const ends = follow();
  const other = podWith({ uid: "v", state: running });
  expect(ends.take({ kind: "listed", objects: [other] })).toMatchObject([{ kind: "ended" }]);
});

it("reports nothing of pods that never ran, and of those of others", () => {
  const ends = new PodEnds("d");
  ends.take(changed({ state: { waiting: {} } }));
  expect(ends.take({ kind: "removed", object: podWith({}) })).toEqual([]);
  const foreign = new PodEnds("another");
  foreign.take(changed({ state: running }));
  expect(foreign.take({ kind: "removed", object: podWith({ state: running }) })).toEqual([]);
});
