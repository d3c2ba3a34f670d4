import { expect, it } from "vitest";

import { PodStart } from "./pod-start.ts";

const uid = "pod-1";

function podWith(status: unknown, metadata: Readonly<Record<string, unknown>> = {}) {
  return { metadata: { uid, name: "ws-main-0", ...metadata }, status: objectWith(status) };
}

function objectWith(status: unknown) {
  return { containerStatuses: [{ name: "workspace", state: status }] };
}

const waitingFor = (reason: string, message = "") => podWith({ waiting: { reason, message } });

function eventWith(reason: string, message: string, type = "Normal", subject = uid) {
  return { reason, message, type, involvedObject: { uid: subject } };
}

const open = (isWanted = true) => new PodStart(() => isWanted);

it("follows a pod from its node to its container", () => {
  const start = open();
  // Events may come before the pod itself.
  expect(start.takePodEvent(eventWith("Scheduled", "assigned to node-1")).lines).toEqual([]);
  expect(start.takePod(waitingFor("PodInitializing"))).toEqual({
    lines: ["assigned to node-1"],
    outcome: undefined,
  });
  expect(start.takePodEvent(eventWith("Pulling", "Pulling image x")).lines).toEqual([
    "Pulling image x",
  ]);
  const running = podWith({ running: { startedAt: "2026-11-30T12:00:00Z" } });
  expect(start.takePod(running).outcome).toEqual({ kind: "running" });
});

it("ignores a pod that is being replaced, and the events of another of its name", () => {
  const ending = podWith({ running: {} }, { deletionTimestamp: "2026-11-30T12:00:00Z" });
  expect(open().takePod(ending).outcome).toBeUndefined();
  const failing = { waiting: { reason: "InvalidImageName", message: "" } };
  const failed = podWith(failing, { deletionTimestamp: "2026-11-30T12:00:00Z" });
  expect(open().takePod(failed)).toEqual({ lines: [], outcome: undefined });
  expect(open(false).takePod(podWith({ running: {} })).outcome).toBeUndefined();
  const start = open();
  start.takePod(waitingFor("ContainerCreating"));
  const other = eventWith("FailedScheduling", "0/1 nodes", "Warning", "pod-0");
  expect(start.takePodEvent(other).lines).toEqual([]);
});

it("writes each line once, and says why the pod waits", () => {
  const start = open();
  start.takePod(waitingFor("ContainerCreating"));
  const event = eventWith("FailedScheduling", "0/1 nodes are available", "Warning");
  expect(start.takePodEvent(event).lines).toEqual(["no node fits: 0/1 nodes are available"]);
  expect(start.takePodEvent(event).lines).toEqual([]);
  start.takePodEvent(eventWith("Failed", "Error: ErrImagePull", "Warning"));
  start.takePodEvent(eventWith("BackOff", "Back-off restarting failed container", "Warning"));
  expect(start.reason).toBe("no node fits: 0/1 nodes are available");
});

it.each([
  ["ImagePullBackOff", "pull access denied", true],
  ["ErrImagePull", "registry.example.com/x:1: not found", true],
  ["ErrImagePull", "dial tcp 192.0.2.1:443: i/o timeout", false],
  ["InvalidImageName", "couldn't parse image name", true],
  ["CreateContainerConfigError", 'secret "x" not found', true],
  ["ContainerCreating", "", false],
])("takes %s (%s) for the end of a start: %s", (reason, message, isFatal) => {
  const { outcome } = open().takePod(waitingFor(reason, message));
  expect(outcome?.kind === "failed").toBe(isFatal);
});

it("lets a container begin again a few times, and then shows what it wrote", () => {
  const crashed = (restartCount: number) => ({
    metadata: { uid },
    status: {
      initContainerStatuses: [
        {
          name: "agent",
          restartCount,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: { terminated: { reason: "Error", exitCode: 1, message: "wget: refused\n" } },
        },
      ],
    },
  });
  const start = open();
  expect(start.takePod(crashed(1)).outcome).toBeUndefined();
  expect(start.takePod(crashed(3)).outcome).toEqual({
    kind: "failed",
    reason: "container agent ends again and again with exit code 1: wget: refused",
  });
});

it("ends when the cluster refuses the pod, and not when it fails for a moment", () => {
  const start = open();
  const busy = eventWith("FailedCreate", "etcdserver: request timed out", "Warning");
  expect(start.takeOwnerEvent(busy).outcome).toBeUndefined();
  const refused = eventWith("FailedCreate", "pods is forbidden: exceeded quota: none", "Warning");
  expect(start.takeOwnerEvent(refused).outcome).toEqual({
    kind: "failed",
    reason: "the cluster refuses the pod: pods is forbidden: exceeded quota: none",
  });
});

it("keeps few events that come before their pod, and writes a bounded log", () => {
  const start = open();
  const flood = Array.from({ length: 5_000 }, (_, index) =>
    eventWith("FailedScheduling", `${index} ${"x".repeat(5_000)}`, "Warning"),
  );
  for (const event of flood) start.takePodEvent(event);
  const first = start.takePod(waitingFor("ContainerCreating")).lines;
  expect(first).toHaveLength(100);
  const rest = flood.flatMap((event) => start.takePodEvent(event).lines);
  expect(first.length + rest.length).toBe(200);
  for (const line of [...first, ...rest]) expect(line).toHaveLength(1_000);
});
