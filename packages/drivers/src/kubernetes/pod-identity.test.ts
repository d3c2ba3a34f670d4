import type { ServerResponse } from "node:http";

import type { JsonObject } from "@slipway/runtime";
import { expect, it } from "vitest";

import { answerFrom, openApiServer, refuse } from "../../tests/support/api-server.ts";
import { hashToken } from "../docker/marks.ts";
import { PodIdentity } from "./pod-identity.ts";
import { agentAnnotations, agentLabels, agentObjectName } from "./pod-marks.ts";

/* What the driver makes of the cluster's answers about a token, the rare and hostile ones included. */

const { signal } = new AbortController();

const place = { deploymentId: "d", workspaceId: "w" };
const name = agentObjectName(place, "main");
const podName = `${name}-0`;
const sets = "/apis/apps/v1/namespaces/n/statefulsets";
const reviews = "POST /apis/authentication.k8s.io/v1/tokenreviews";

/** A token that claims to be for us; only the cluster can tell whether it is. */
function tokenWith(claims: object = { aud: ["slipway"], exp: 1 }): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;
}

/** The objects of an agent's pod and the review of its token. */
interface Cluster {
  readonly review: JsonObject;
  readonly user: JsonObject;
  readonly extra: JsonObject;
  readonly pod: JsonObject;
  readonly owner: JsonObject;
  readonly set: JsonObject;
}

const marks = {
  labels: agentLabels(place, "main"),
  annotations: agentAnnotations({ id: "a", token: "t" }, "b"),
};

const usual: Cluster = {
  review: { authenticated: true, audiences: ["slipway"] },
  user: { username: "system:serviceaccount:n:default" },
  extra: {
    "authentication.kubernetes.io/pod-name": [podName],
    "authentication.kubernetes.io/pod-uid": ["pod-1"],
  },
  pod: { name: podName, uid: "pod-1", ...marks },
  owner: { kind: "StatefulSet", name, uid: "set-1", controller: true },
  set: { name, uid: "set-1", ...marks },
};

async function proveIn(cluster: Partial<Cluster>): Promise<string | undefined> {
  const { review, user, extra, pod, owner, set } = { ...usual, ...cluster };
  const named = String(pod["name"]);
  const server = await openApiServer(
    answerFrom({
      [reviews]: { status: { ...review, user: { ...user, extra } } },
      [`GET /api/v1/namespaces/n/pods/${named}`]: {
        metadata: { ...pod, ownerReferences: [owner] },
      },
      [`GET ${sets}/${name}`]: { metadata: set },
    }),
  );
  return (await new PodIdentity().prove(server.context, tokenWith(), signal))?.tokenHash;
}

it("knows the agent of a pod by the pod's token", async () => {
  expect(await proveIn({})).toBe(hashToken("t"));
});

const otherToken = agentAnnotations({ id: "a", token: "later" }, "b");
const otherName = { "authentication.kubernetes.io/pod-name": ["copy"] };

const hostile: Readonly<Record<string, Partial<Cluster>>> = {
  "a token that the cluster refuses": { review: { ...usual.review, authenticated: false } },
  "a cluster that knows no audiences": { review: { authenticated: true } },
  "a token for another audience": { review: { authenticated: true, audiences: ["other"] } },
  "an account of another namespace": { user: { username: "system:serviceaccount:nn:default" } },
  "a person of the cluster": { user: { username: "n:default" } },
  "a token that belongs to no pod": { extra: {} },
  "a pod that has taken the place of the token's": { pod: { ...usual.pod, uid: "pod-2" } },
  "a pod that is being deleted": {
    pod: { ...usual.pod, deletionTimestamp: "2026-11-30T12:00:00Z" },
  },
  "a pod with the marks of ours under another name": {
    pod: { ...usual.pod, name: "copy" },
    extra: { ...usual.extra, ...otherName },
  },
  "a pod of another deployment": {
    pod: { ...usual.pod, labels: agentLabels({ ...place, deploymentId: "other" }, "main") },
  },
  "a pod that nothing controls": { owner: { ...usual.owner, controller: false } },
  "a pod that something else controls": { owner: { ...usual.owner, kind: "ReplicaSet" } },
  "a pod whose owner was replaced": { set: { ...usual.set, uid: "set-2" } },
  "a pod of an earlier build": { set: { ...usual.set, annotations: otherToken } },
  "a pod whose owner only looks like ours": { set: { ...usual.set, labels: {} } },
};

it.each(Object.entries(hostile))("knows no agent of %s", async (_name, cluster) => {
  expect(await proveIn(cluster)).toBeUndefined();
});

it("asks the cluster nothing about what is no token for us", async () => {
  const server = await openApiServer((_request, response) => refuse(response, 500, "Asked"));
  const identity = new PodIdentity();
  const texts = [
    "",
    "a.b.c",
    tokenWith({ aud: ["other"], exp: 1 }),
    tokenWith({ aud: ["slipway"] }),
    tokenWith().replace(/signature$/, ""),
    `${tokenWith()}${"x".repeat(8_192)}`,
  ];
  for (const token of texts) {
    expect(await identity.prove(server.context, token, signal)).toBeUndefined();
  }
  expect(server.requests).toEqual([]);
});

it("asks about eight tokens at a time, and about the others afterwards", async () => {
  const held: ServerResponse[] = [];
  const server = await openApiServer(({ url }, response) => {
    if (url.pathname === "/version") response.end("{}");
    else held.push(response);
  });
  const identity = new PodIdentity();
  const proofs = Array.from({ length: 20 }, () =>
    identity.prove(server.context, tokenWith(), signal),
  );
  for (const count of [8, 8, 4]) {
    await expect.poll(() => held).toHaveLength(count);
    // What was sent together with the last one has come by the answer to this.
    await fetch(`${server.url}/version`);
    expect(held).toHaveLength(count);
    for (const response of held.splice(0)) response.end('{"status":{}}');
  }
  expect(await Promise.all(proofs)).toEqual(proofs.map(() => undefined));
});
