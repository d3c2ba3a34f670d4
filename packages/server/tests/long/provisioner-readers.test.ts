import { randomUUID } from "node:crypto";

import { cancelBuild } from "@slipway/api/builds/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "../support/open-server.ts";
import {
  begin,
  connect,
  endsWith,
  json,
  patience,
  push,
  resource,
} from "../support/raw-provisioner-jobs.ts";
import { RawProvisioner } from "../support/raw-provisioner.ts";

/* Provisioners that do not read what they are sent. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

/** More than the buffers of a connection take. */
const largeTemplate = `# ${"x".repeat(9 * 1024 * 1024)}`;
const sessions = 6;
/** Archives of nine MiB, of which one key may have so many: half of 256 MiB with room for any call. */
const held = 4;

it("a few archives are held for provisioners that never read, and no other build waits for them", async () => {
  const { provisioner: first, key } = await connect(server, "deaf");
  const template_id = await push(server, "deaf", first, largeTemplate);
  await first[Symbol.asyncDispose]();
  const deaf: { readonly id: string; isSent: boolean; readonly session: RawProvisioner }[] = [];
  for (let number = 0; number < sessions; number += 1) {
    const id = randomUUID();
    const session = opened.use(await RawProvisioner.connect({ url: server.url, key, id }));
    const one = { id, isSent: false, session };
    void session.pauseAtNext().then(() => (one.isSent = true));
    deaf.push(one);
    const body = { name: `deaf-${number}`, template_id };
    await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  }
  const sent = () => deaf.filter(({ isSent }) => isSent).length;
  const jobs = () =>
    server.db
      .selectFrom("jobs")
      .innerJoin("workspace_builds as build", "build.job_id", "jobs.id")
      .where(
        "worker_id",
        "in",
        deaf.map(({ id }) => id),
      )
      .where("completed_at", "is", null)
      .select(["worker_id", "build.id as build"])
      .execute();
  await expect.poll(async () => (await jobs()).length, patience).toBe(sessions);
  await expect.poll(sent, patience).toBe(held);

  const { provisioner } = await connect(server, "hearing");
  const { workspace, call } = await begin(server, "hearing", provisioner);
  provisioner.sendPart(call, "result", json({ resources: [resource], agents: [] }));
  provisioner.send({ type: "end", call });
  await endsWith(server, workspace, "succeeded");
  await provisioner[Symbol.asyncDispose]();
  expect(sent()).toBe(held);

  // One that waits can be canceled, and the others take its turn.
  const waiting = deaf.find(({ isSent }) => !isSent);
  const job = (await jobs()).find(({ worker_id }) => worker_id === waiting?.id);
  if (waiting === undefined || job === undefined) throw new Error("nobody waits");
  await server.admin.call(cancelBuild, { params: { build: job.build } });
  await expect.poll(async () => (await jobs()).length, patience).toBe(sessions - 1);
  for (const { session } of deaf.filter(({ isSent }) => isSent)) session.cut();
  await expect.poll(sent, patience).toBe(sessions - 1);
  expect(waiting.isSent).toBe(false);
});
