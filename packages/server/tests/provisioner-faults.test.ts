import { randomUUID } from "node:crypto";

import { cancelBuild, getBuildLogs } from "@slipway/api/builds/routes";
import { systemClock } from "@slipway/runtime";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import {
  agent,
  begin,
  connect,
  endsWith,
  jobOf,
  json,
  resource,
} from "./support/raw-provisioner-jobs.ts";
import { RawProvisioner } from "./support/raw-provisioner.ts";

/* Provisioners that break their word, and those that come back. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
});
afterAll(() => opened.disposeAsync());

describe("a hostile provisioner", () => {
  it("cannot end a job twice, nor those of others", async () => {
    const { provisioner } = await connect(server, "ends");
    const { provisioner: other } = await connect(server, "ends-other");
    const { workspace, call } = await begin(server, "ends", provisioner);
    other.send({ type: "end", call, error: { code: "run-failed", message: "foreign" } });
    other.send({ type: "end", call: randomUUID() });
    other.send({ type: "alive" });
    await other.next("alive");
    provisioner.sendPart(call, "result", json({ resources: [resource], agents: [] }));
    provisioner.sendPart(call, "state", json({ version: 4 }));
    provisioner.send({ type: "end", call });
    provisioner.send({ type: "end", call, error: { code: "run-failed", message: "second" } });
    expect(await endsWith(server, workspace, "succeeded")).not.toHaveProperty("error");
    provisioner.sendPart(call, "state", json({ version: 4, serial: 9 }));
    provisioner.send({ type: "request", call, request: 1, what: "keep" });
    expect(await provisioner.next("answer")).toMatchObject({ isLost: true });
    await provisioner[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    [
      "an unknown architecture",
      json({ resources: [], agents: [{ definition: { ...agent, arch: "z80" }, token: "" }] }),
    ],
    ["a field too many", json({ resources: [{ ...resource, job_id: randomUUID() }] })],
    ["a NUL", json({ resources: [{ ...resource, name: "a\0b" }] })],
    ["half of a character", json({ resources: [{ ...resource, name: "a\ud83d" }] })],
    ["no resources", json({})],
  ])("fails its job by a result with %s", async (name, result) => {
    const tag = `r${name.length}`;
    const { provisioner } = await connect(server, tag);
    const { workspace, call } = await begin(server, tag, provisioner);
    provisioner.sendPart(call, "result", result);
    provisioner.send({ type: "end", call });
    expect((await endsWith(server, workspace, "failed")).error).toContain("malformed result");
    await provisioner[Symbol.asyncDispose]();
  });

  it("fails its job by a log without end, which is cut off", async () => {
    const { provisioner } = await connect(server, "chatty");
    const { workspace, call } = await begin(server, "chatty", provisioner);
    const lines = Array.from({ length: 100 }, () => ["info", "", "x".repeat(4_000)]);
    for (let sent = 0; sent < 25; sent += 1) provisioner.send({ type: "log", call, lines });
    expect((await endsWith(server, workspace, "failed")).error).toContain("logged more than");
    const params = { build: workspace.latest_build.id };
    expect((await server.admin.call(getBuildLogs, { params, query: {} })).length).toBeLessThan(
      2_200,
    );
    await provisioner[Symbol.asyncDispose]();
  });

  it("is disconnected by a second request before the first is answered", async () => {
    const { provisioner } = await connect(server, "hasty");
    const { call } = await begin(server, "hasty", provisioner);
    const hold = { type: "request", call, what: "hold", lastsMs: 60_000, patienceMs: 20_000 };
    for (let request = 1; request < 50; request += 1) provisioner.send({ ...hold, request });
    expect(await provisioner.closed()).toMatchObject({ code: 1008 });
  });
});

describe("a provisioner that comes back", () => {
  it("gets the call of its job again, and the old session keeps nothing", async () => {
    const { provisioner, key, id } = await connect(server, "back");
    const { workspace, call, job } = await begin(server, "back", provisioner);
    provisioner.cut();
    await using next = await RawProvisioner.connect({ url: server.url, key, id });
    const again = await next.nextCall();
    expect(again).toMatchObject({ job, method: "start" });
    expect(again.call).not.toBe(call);
    next.send({
      type: "request",
      call: again.call,
      request: 1,
      what: "hold",
      lastsMs: 60_000,
      patienceMs: 20_000,
    });
    expect((await next.next("answer")).renewedAgoMs).toBeLessThan(60_000);
    next.sendPart(again.call, "state", json({ version: 4, serial: 1 }));
    next.send({ type: "request", call: again.call, request: 2, what: "keep" });
    expect(await next.next("answer")).not.toHaveProperty("error");
    next.sendPart(again.call, "result", json({ resources: [resource], agents: [] }));
    next.sendPart(again.call, "state", json({ version: 4, serial: 1 }));
    next.send({ type: "end", call: again.call });
    await endsWith(server, workspace, "succeeded");
  });

  it.each([1, -1])(
    "gets the age of its lease from a server whose clock is %i hours wrong",
    async (hours) => {
      const clock = { ...systemClock, now: () => systemClock.now() + hours * 3_600_000 };
      await using replica = await openReplica(server, { SLIPWAY_TERRAFORM: "off" }, clock);
      const tag = `clock${hours}`;
      await using provisioner = (await connect(server, tag, replica.url)).provisioner;
      const { workspace, call, job } = await begin(server, tag, provisioner);
      const times = { lastsMs: 600_000, patienceMs: 200_000 };
      provisioner.send({ type: "request", call, request: 1, what: "hold", ...times });
      const { renewedAgoMs = -1 } = await provisioner.next("answer");
      expect(renewedAgoMs).toBeGreaterThanOrEqual(0);
      expect(renewedAgoMs).toBeLessThan(200_000);
      const { rows } = await sql<{ seconds: number }>`
        select extract(epoch from lease_until - now())::float as seconds from jobs where id = ${job}`.execute(
        server.db,
      );
      // By the clock of the database alone.
      expect(rows[0]?.seconds).toBeGreaterThan(400);
      expect(rows[0]?.seconds).toBeLessThan(601);
      provisioner.sendPart(call, "result", json({ resources: [resource], agents: [] }));
      provisioner.send({ type: "end", call });
      await endsWith(server, workspace, "succeeded");
    },
  );

  it("is told to settle a job that was canceled meanwhile", async () => {
    const { provisioner, key, id } = await connect(server, "settle");
    const { workspace } = await begin(server, "settle", provisioner);
    provisioner.cut();
    await server.admin.call(cancelBuild, { params: { build: workspace.latest_build.id } });
    await using next = await RawProvisioner.connect({ url: server.url, key, id });
    const { call, method } = await next.nextCall();
    expect(method).toBe("settle");
    next.send({ type: "end", call });
    await endsWith(server, workspace, "canceled");
  });

  it("is told to settle a canceled job that it left before it had ended it", async () => {
    const { provisioner, key, id } = await connect(server, "left");
    const { workspace } = await begin(server, "left", provisioner);
    await server.admin.call(cancelBuild, { params: { build: workspace.latest_build.id } });
    await provisioner.next("abort");
    provisioner.cut();
    await using next = await RawProvisioner.connect({ url: server.url, key, id });
    const { call, method } = await next.nextCall();
    expect(method).toBe("settle");
    next.send({ type: "end", call });
    await endsWith(server, workspace, "canceled");
  });

  it("is waited for ten minutes if its job was canceled; then the server ends the job", async () => {
    const { provisioner } = await connect(server, "never");
    const { workspace, job } = await begin(server, "never", provisioner);
    await provisioner[Symbol.asyncDispose]();
    await server.admin.call(cancelBuild, { params: { build: workspace.latest_build.id } });
    expect((await jobOf(server, workspace)).status).toBe("canceling");
    await sql`update jobs set lease_until = now() - interval '11 minutes' where id = ${job}`.execute(
      server.db,
    );
    await endsWith(server, workspace, "canceled");
  });
});
