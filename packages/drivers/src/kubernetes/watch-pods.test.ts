import { expect, it } from "vitest";

import { openApiServer } from "../../tests/support/api-server.ts";
import type { DriverEvent } from "../driver.ts";
import { agentAnnotations, agentLabels, agentObjectName } from "./pod-marks.ts";
import { PodEnds, watchPods } from "./watch-pods.ts";

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

it.each([
  [
    "evicted by its node",
    { reason: "Evicted", message: "low on memory" },
    ": evicted by its node (low on memory)",
  ],
  [
    "spared after all",
    {
      conditions: [{ type: "DisruptionTarget", status: "False", reason: "EvictionByEvictionAPI" }],
    },
    "",
  ],
])("tells of a pod that was %s", (_name, status, text) => {
  const object = podWith({ state: running, status });
  const [end] = follow().take({ kind: "removed", object });
  expect(end?.detail).toMatch(/^pod ws-main-\w+-0 ended/);
  expect(end?.detail.replace(/^.* ended/, "")).toBe(text);
});

it("says once that it watches, before it reports what ends", async () => {
  const server = await openApiServer(({ url }, response) => {
    if (url.searchParams.get("watch") !== "1") {
      const items = [podWith({ state: running })];
      response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items }));
      return;
    }
    for (const state of [running, { terminated: { reason: "Error", exitCode: 3 } }]) {
      response.write(`${JSON.stringify({ type: "MODIFIED", object: podWith({ state }) })}\n`);
    }
  });
  const events: DriverEvent[] = [];
  const ending = new AbortController();
  const report = (event: DriverEvent): void => {
    events.push(event);
    if (event.kind === "ended") ending.abort(new Error("seen"));
  };
  await expect(watchPods(server.context, report, ending.signal)).rejects.toThrow("seen");
  expect(events).toMatchObject([{ kind: "watching" }, { kind: "ended", exitCode: 3 }]);
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
