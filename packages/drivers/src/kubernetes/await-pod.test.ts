import type { ServerResponse } from "node:http";

import { type Clock, systemClock } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { openApiServer, refuse } from "../../tests/support/api-server.ts";
import { hashToken } from "../docker/marks.ts";
import { awaitGone, awaitRunning } from "./await-pod.ts";
import { kinds } from "./cluster-objects.ts";
import { agentAnnotations, agentLabels, agentObjectName } from "./pod-marks.ts";

/* Pods that start and end, as an API server tells it, in the order that each test wants. */

const { signal } = new AbortController();
const place = { deploymentId: "d", workspaceId: "w" };
const name = agentObjectName(place, "main");
const podName = `${name}-0`;

function podWith(state: object, { uid = "pod-1", token = "t" } = {}) {
  return {
    metadata: {
      name: podName,
      uid,
      labels: agentLabels(place, "main"),
      annotations: agentAnnotations({ id: "a", token }, "b"),
    },
    spec: { nodeName: "node-1" },
    status: { containerStatuses: [{ name: "workspace", state }] },
  };
}

const running = { running: { startedAt: "2026-11-30T12:00:00Z" } };
const waiting = { waiting: { reason: "ContainerCreating" } };

/** A namespace with lists that tests change, and watches to which they write. Events are listed by their subject. */
async function openNamespace(clock: Clock = systemClock) {
  const lists = new Map<string, readonly object[]>();
  const watches = new Map<string, ServerResponse>();
  const absent = new Set<string>();
  const forbidden = new Set<string>();
  const server = await openApiServer(
    ({ url }, response) => {
      const [kind = ""] = url.pathname.split("/").slice(-1);
      const subject = url.searchParams.get("fieldSelector")?.replace(/^.*=/, "");
      const key = kind === "events" ? `events of ${subject}` : kind;
      if (url.searchParams.get("watch") === "1") {
        watches.set(key, response);
        response.on("close", () => watches.get(key) === response && watches.delete(key));
        response.write("\n");
        return;
      }
      if (absent.has(kind)) return refuse(response, 404, "NotFound");
      if (forbidden.has(kind)) return refuse(response, 403, "Forbidden");
      const items = lists.get(key) ?? [];
      response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items }));
    },
    { clock },
  );
  const send = async (key: string, type: string, object: object): Promise<void> => {
    await expect.poll(() => watches.has(key)).toBe(true);
    watches.get(key)?.write(`${JSON.stringify({ type, object })}\n`);
  };
  return { ...server, lists, watches, absent, forbidden, send };
}

type Namespace = Awaited<ReturnType<typeof openNamespace>>;

const started = {
  agentName: "main",
  kind: kinds.statefulSets,
  name,
  podName,
  tokenHash: hashToken("t"),
  timeoutMs: 60_000,
};

function start({ context }: Namespace, begin = async () => undefined as void): Promise<void> {
  return awaitRunning(context, started, begin, signal);
}

const refusal = {
  type: "Warning",
  reason: "FailedCreate",
  message: "pods is forbidden: exceeded quota",
  involvedObject: { uid: "set-1" },
};

it("takes the pod of this start for running, and not that of an earlier one", async () => {
  const namespace = await openNamespace();
  namespace.lists.set("pods", [podWith(running, { uid: "pod-0", token: "earlier" })]);
  const order: string[] = [];
  const outcome = start(namespace).then(() => order.push("running"));
  await namespace.send("pods", "ADDED", podWith(waiting));
  const event = { reason: "Pulling", message: "pulling x", involvedObject: { uid: "pod-1" } };
  await namespace.send(`events of ${podName}`, "ADDED", event);
  await expect.poll(() => namespace.lines).toEqual(["agent main: pulling x"]);
  expect(order).toEqual([]);
  await namespace.send("pods", "MODIFIED", podWith(running));
  await outcome;
});

it("fails for what refuses the pod now, and not for what refused earlier ones", async () => {
  const namespace = await openNamespace();
  const subject = `events of ${name}`;
  namespace.lists.set(subject, [refusal]);
  const outcome = start(namespace);
  await namespace.send("pods", "ADDED", podWith(running));
  await outcome;

  const refused = start(namespace, () => namespace.send(subject, "ADDED", refusal));
  await expect(refused).rejects.toMatchObject({
    code: "not-startable",
    message:
      "agent main cannot start: the cluster refuses the pod: pods is forbidden: exceeded quota",
  });
});

it("fails when the owner of the pod is deleted, such as with its namespace", async () => {
  const clock = createFakeClock();
  const namespace = await openNamespace(clock);
  const refused = expect(start(namespace)).rejects.toMatchObject({
    code: "not-startable",
    message: `agent main cannot start: its StatefulSet ${name} was deleted, perhaps with the namespace`,
  });
  const looks = () => namespace.requests.filter((one) => one.endsWith(`/statefulsets/${name}`));
  for (let look = 1; look <= 3; look += 1) {
    await expect.poll(() => clock.sleepers).toBe(2);
    if (look === 3) namespace.absent.add(name);
    await clock.advance(5_000);
    await expect.poll(looks).toHaveLength(look);
  }
  await refused;
});

it("continues while the cluster does not say whether the pod's owner exists", async () => {
  const clock = createFakeClock();
  const namespace = await openNamespace(clock);
  namespace.forbidden.add(name);
  const outcome = start(namespace);
  await expect.poll(() => clock.sleepers).toBe(2);
  await clock.advance(5_000);
  const looks = () => namespace.requests.filter((one) => one.endsWith(`/statefulsets/${name}`));
  await expect.poll(looks).toHaveLength(1);
  await expect.poll(() => clock.sleepers).toBe(2);
  await namespace.send("pods", "ADDED", podWith(running));
  await outcome;
});

it("creates nothing before it watches", async () => {
  const namespace = await openNamespace();
  let before: readonly string[] = [];
  const outcome = start(namespace, async () => {
    before = [...namespace.requests];
  });
  await namespace.send("pods", "ADDED", podWith(running));
  await outcome;
  const listed = ["pods", "events", "events"].map((kind) => `GET /api/v1/namespaces/n/${kind}`);
  expect(before.toSorted()).toEqual(expect.arrayContaining(listed.toSorted()));
});

function end({ context }: Namespace, begin = async () => undefined as void): Promise<void> {
  return awaitGone(context, { selector: "agent", timeoutMs: 60_000 }, begin, signal);
}

it("waits for the end of pods that appear while the end of all begins", async () => {
  const namespace = await openNamespace();
  const order: string[] = [];
  const gone = end(namespace, async () => {
    namespace.lists.set("pods", [podWith(running), podWith(running, { uid: "pod-2" })]);
    await namespace.send("pods", "ERROR", { code: 410, reason: "Expired" });
    // It watches again, so it knows the new list.
    await expect.poll(() => namespace.requests).toHaveLength(4);
    order.push("begun");
  }).then(() => order.push("gone"));
  await expect.poll(() => order).toEqual(["begun"]);
  await namespace.send("pods", "DELETED", podWith(running));
  order.push("one left");
  await namespace.send("pods", "DELETED", podWith(running, { uid: "pod-2" }));
  await gone;
  expect(order).toEqual(["begun", "one left", "gone"]);
});

it("learns from a new list that a pod has gone while the watch had expired", async () => {
  const namespace = await openNamespace();
  namespace.lists.set("pods", [podWith(running)]);
  const gone = end(namespace, async () => {
    namespace.lists.set("pods", []);
    await namespace.send("pods", "ERROR", { code: 410, reason: "Expired" });
  });
  await gone;
});

it("names the pod that does not end, and its node", async () => {
  const clock = createFakeClock();
  const namespace = await openNamespace(clock);
  namespace.lists.set("pods", [podWith(running)]);
  const late = expect(end(namespace)).rejects.toMatchObject({
    code: "still-running",
    message: expect.stringMatching(
      new RegExp(`^pod ${podName} on node node-1 did not end within 60 s: .*delete the node`),
    ),
  });
  await expect.poll(() => clock.sleepers).toBe(1);
  await clock.advance(60_000);
  await late;
});

it("fails when the cluster takes the right to see pods away", async () => {
  const server = await openApiServer((_request, response) => refuse(response, 403, "Forbidden"));
  let hasBegun = false;
  const begin = async (): Promise<void> => void (hasBegun = true);
  const gone = awaitGone(server.context, { selector: "agent", timeoutMs: 60_000 }, begin, signal);
  await expect(gone).rejects.toMatchObject({ status: 403 });
  expect(hasBegun).toBe(false);
});
