import { createFakeClock } from "@slipway/testkit";
import { sampleContainer } from "@slipway/testkit/compliance";
import { expect, it } from "vitest";

import {
  answerFrom,
  type ApiHandler,
  openApiServer,
  refuse,
} from "../../tests/support/api-server.ts";
import {
  agentAnnotations,
  agentLabels,
  agentObjectName,
  type ObjectPlace,
  volumeClaimName,
  volumeLabels,
} from "./pod-marks.ts";
import { findAgents, findVolumes, provideVolumes, removeVolumes } from "./workspace-objects.ts";

/* Which objects of the namespace are those of a workspace: labels are copied, and names are taken. */

const { signal } = new AbortController();
const place = { deploymentId: "d", workspaceId: "w" };
const sets = "/apis/apps/v1/namespaces/n/statefulsets";
const claims = "/api/v1/namespaces/n/persistentvolumeclaims";

function setOf(of: ObjectPlace, name = agentObjectName(of, "main")) {
  const annotations = agentAnnotations({ id: "a", token: "t" }, "b");
  return { metadata: { name, labels: agentLabels(of, "main"), annotations } };
}

function claimOf(of: ObjectPlace, fields: object = {}) {
  const name = volumeClaimName(of, "home");
  return { metadata: { name, labels: volumeLabels(of, "home"), ...fields } };
}

it("finds the agents of a workspace, and neither copies nor those of another deployment", async () => {
  const foreign = setOf({ ...place, deploymentId: "other" });
  const answer = answerFrom({ [`GET ${sets}`]: [setOf(place), setOf(place, "copy"), foreign] });
  const { context } = await openApiServer(answer);
  const found = await findAgents(context, "w", signal);
  expect(found.map(({ name }) => name)).toEqual([agentObjectName(place, "main")]);
});

it("removes the volumes of a workspace, and neither copies nor those of another one", async () => {
  const other = { ...place, workspaceId: "other" };
  const all = [claimOf(place), claimOf(place, { name: "copy" }), claimOf(other)];
  const { context, requests } = await openApiServer(answerFrom({ [`GET ${claims}`]: all }));
  await removeVolumes(context, place, signal);
  expect(requests.filter((one) => one.startsWith("DELETE"))).toEqual([
    `DELETE ${claims}/${volumeClaimName(place, "home")}`,
  ]);
  expect(await findVolumes(context, place, signal)).toHaveLength(1);
});

const container = sampleContainer("box:1", {
  volumes: [{ name: "home", path: "/home/dev", isReadOnly: false }],
});

/** An API server on which a claim has the name of the workspace's volume. */
function taken(readClaim: () => unknown): ApiHandler {
  return ({ method, body }, response) => {
    const found = readClaim();
    if (method === "GET") response.end(JSON.stringify(found));
    else if (found === undefined) response.end(JSON.stringify(body));
    else refuse(response, 409, "AlreadyExists");
  };
}

it("uses a volume that is there, and none that only has its name", async () => {
  let found: unknown = claimOf(place);
  const { context } = await openApiServer(taken(() => found));
  await provideVolumes(context, place, container, signal);
  found = claimOf({ ...place, deploymentId: "other" }, { name: volumeClaimName(place, "home") });
  await expect(provideVolumes(context, place, container, signal)).rejects.toMatchObject({
    code: "not-startable",
    message: expect.stringContaining("was not created by this server"),
  });
});

it("waits for the end of a volume that is being deleted, and says why it does not come", async () => {
  const clock = createFakeClock();
  const ending = claimOf(place, { deletionTimestamp: "2026-11-30T12:00:00Z" });
  let found: unknown = ending;
  const { context, requests } = await openApiServer(
    taken(() => found),
    { clock },
  );
  const provided = provideVolumes(context, place, container, signal);
  await expect.poll(() => clock.sleepers).toBe(1);
  expect(requests).toHaveLength(2);
  found = undefined;
  await clock.advance(1_000);
  await provided;
  expect(requests.slice(2)).toEqual([`POST ${claims}`]);

  found = ending;
  const late = expect(provideVolumes(context, place, container, signal)).rejects.toMatchObject({
    code: "still-running",
    message: expect.stringContaining("see its finalizers"),
  });
  for (let second = 0; second < 60; second += 1) {
    await expect.poll(() => clock.sleepers, { interval: 1 }).toBe(1);
    await clock.advance(1_000);
  }
  await late;
});
