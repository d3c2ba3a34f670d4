import { cancelBuild } from "@slipway/api/builds/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "../support/open-server.ts";
import { begin, connect, endsWith, json, push, resource } from "../support/raw-provisioner-jobs.ts";
import { type RawMessage, RawProvisioner } from "../support/raw-provisioner.ts";

/* States of provisioners that are larger than usual: they fail a build, and are kept so that what they name can be removed. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

const mebibyte = 1024 * 1024;
const largeState = (mebibytes: number): Buffer =>
  json({ version: 4, serial: 1, large: "x".repeat(mebibytes * mebibyte) });

async function stateOf(workspace: string): Promise<string> {
  const query = { include_deleted: "true" };
  const found = await server.admin.call(getWorkspace, { params: { workspace }, query });
  return found.latest_build.status;
}

/** Sends a request and resolves to its answer. */
async function ask(
  provisioner: RawProvisioner,
  call: string,
  request: number,
  what: string,
): Promise<RawMessage> {
  provisioner.send({ type: "request", call, request, what });
  return provisioner.next("answer");
}

it("a large state that has room is kept, and comes back for the deletion", async () => {
  const { provisioner } = await connect(server, "large");
  const { workspace, call } = await begin(server, "large", provisioner);
  expect(await ask(provisioner, call, 1, "room")).not.toHaveProperty("error");
  const state = largeState(18);
  provisioner.sendPart(call, "state", state);
  expect(await ask(provisioner, call, 2, "keep")).not.toHaveProperty("error");
  const error = { code: "run-failed", message: "the state has too many bytes" };
  provisioner.send({ type: "end", call, error });
  await endsWith(server, workspace, "failed");
  await server.admin.call(createBuild, {
    params: { workspace: workspace.id },
    body: { transition: "delete" },
  });
  const deletion = await provisioner.nextCall();
  expect(deletion.method).toBe("delete");
  expect(provisioner.part(deletion.call, "state").equals(state)).toBe(true);
  provisioner.sendPart(deletion.call, "result", json({ resources: [] }));
  provisioner.send({ type: "end", call: deletion.call });
  await expect.poll(() => stateOf(workspace.id), { timeout: 30_000 }).toBe("deleted");
  await provisioner[Symbol.asyncDispose]();
});

it("a large state without room, and one that is larger than any, fail the job", async () => {
  for (const [tag, mebibytes] of [
    ["without", 17],
    ["larger", 65],
  ] as const) {
    const { provisioner } = await connect(server, tag);
    const { workspace, call } = await begin(server, tag, provisioner);
    if (tag === "larger") await ask(provisioner, call, 1, "room");
    provisioner.sendPart(call, "state", Buffer.alloc(mebibytes * mebibyte));
    const { error } = await endsWith(server, workspace, "failed");
    expect(error).toContain("the state has more than");
    expect((await provisioner.next("abort")).call).toBe(call);
    await provisioner[Symbol.asyncDispose]();
  }
});

it("only two large states have room at the same time, of all provisioners", async () => {
  const sessions = [];
  for (const tag of ["one", "two", "three"]) {
    const { provisioner } = await connect(server, tag);
    sessions.push({ tag, provisioner, ...(await begin(server, tag, provisioner)) });
  }
  const [one, two, three] = sessions;
  if (one === undefined || two === undefined || three === undefined) throw new Error("too few");
  expect(await ask(one.provisioner, one.call, 1, "room")).not.toHaveProperty("error");
  // Twice is once.
  expect(await ask(one.provisioner, one.call, 2, "room")).not.toHaveProperty("error");
  expect(await ask(two.provisioner, two.call, 1, "room")).not.toHaveProperty("error");
  expect(await ask(three.provisioner, three.call, 1, "room")).toMatchObject({ isFull: true });
  one.provisioner.sendPart(one.call, "state", largeState(17));
  expect(await ask(one.provisioner, one.call, 3, "keep")).not.toHaveProperty("error");
  expect(await ask(three.provisioner, three.call, 2, "room")).not.toHaveProperty("error");
  expect(await ask(one.provisioner, one.call, 4, "room")).toMatchObject({ isFull: true });
  // One that leaves gives its room back too.
  two.provisioner.cut();
  const roomOfOne = async (): Promise<unknown> => ask(one.provisioner, one.call, 5, "room");
  await expect.poll(roomOfOne, { timeout: 30_000 }).not.toHaveProperty("error");
  for (const { provisioner } of sessions) await provisioner[Symbol.asyncDispose]();
});

it("a state is read when its job is sent, not when the job begins", async () => {
  const { provisioner, key, id } = await connect(server, "late");
  const template_id = await push(server, "late", provisioner, `# ${"x".repeat(9 * mebibyte)}`);
  const workspaces = [];
  for (const name of ["first", "second"]) {
    const body = { name: `late-${name}`, template_id };
    const workspace = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
    const { call } = await provisioner.nextCall();
    provisioner.sendPart(call, "state", json({ of: name }));
    provisioner.sendPart(call, "result", json({ resources: [resource], agents: [] }));
    provisioner.send({ type: "end", call });
    await endsWith(server, workspace, "succeeded");
    workspaces.push(workspace);
  }
  const [first, second] = workspaces;
  if (first === undefined || second === undefined) throw new Error("too few");
  await provisioner[Symbol.asyncDispose]();
  const query = { protocol: "1", build: "v0", name: "raw", jobs: "2", id };
  await using both = await RawProvisioner.connect({ url: server.url, key, query });
  const stop = ({ id: workspace }: Workspace): Promise<unknown> =>
    server.admin.call(createBuild, { params: { workspace }, body: { transition: "stop" } });
  const paused = both.pauseAtNext();
  await stop(first);
  await paused;
  await stop(second);
  // It waits for its turn to be sent.
  await endsWith(server, second, "running");
  await sql`update workspace_builds as newer set driver_state_encrypted = older.driver_state_encrypted
    from workspace_builds as older where newer.workspace_id = ${second.id}
      and older.workspace_id = ${first.id} and older.build_number = 1`.execute(server.db);
  both.resume();
  for (const workspace of [first, second]) {
    const { call } = await both.nextCall();
    expect(both.part(call, "state").toString()).toBe('{"of":"first"}');
    both.sendPart(call, "result", json({ resources: [] }));
    both.send({ type: "end", call });
    await endsWith(server, workspace, "succeeded");
  }
});

it("a job that is canceled while its call is sent is aborted once it has begun", async () => {
  const { provisioner } = await connect(server, "early");
  const { workspace, call } = await begin(server, "early", provisioner);
  provisioner.sendPart(call, "result", json({ resources: [resource], agents: [] }));
  expect(await ask(provisioner, call, 1, "room")).not.toHaveProperty("error");
  const state = largeState(18);
  provisioner.sendPart(call, "state", state);
  provisioner.send({ type: "end", call });
  await endsWith(server, workspace, "succeeded");
  const paused = provisioner.pauseAtNext();
  const { id } = await server.admin.call(createBuild, {
    params: { workspace: workspace.id },
    body: { transition: "delete" },
  });
  await paused;
  await server.admin.call(cancelBuild, { params: { build: id } });
  await endsWith(server, workspace, "canceling");
  provisioner.resume();
  const deletion = await provisioner.nextCall();
  expect((await provisioner.next("abort")).call).toBe(deletion.call);
  provisioner.send({ type: "end", call: deletion.call });
  await endsWith(server, workspace, "canceled");
  await provisioner[Symbol.asyncDispose]();
});
