import { join } from "node:path";

import { cancelBuild, getBuildTimings } from "@slipway/api/builds/routes";
import { deleteProvisionerKey } from "@slipway/api/organizations/provisioner-routes";
import { evaluateParameters } from "@slipway/api/templates/parameter-routes";
import { pushVersion, TcpProxy } from "@slipway/testkit";
import { dependentFiles } from "@slipway/testkit/terraform";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "../support/open-server.ts";
import { makeKey } from "../support/provisioner-process.ts";
import { ProvisionerStage } from "./provisioner-stage.ts";

/* Real provisioners with OpenTofu, for a server that has neither. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let stage: ProvisionerStage;

beforeAll(async () => {
  stage = opened.use(await ProvisionerStage.open(() => server.admin));
  server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
}, 1_200_000);
afterAll(() => opened.disposeAsync());

describe("a provisioner", () => {
  it("imports and builds what has its tags, with credentials that only its machine has", async () => {
    const key = await makeKey(server.admin, "life", { region: "life", size: "big" });
    await using provisioner = await stage.start(key, { args: ["--name", "life-1"] });
    const workspace = await stage.begin("life", await stage.push("life", { region: "life" }));
    expect(await stage.list()).toMatchObject([
      {
        name: "life-1",
        status: "busy",
        tags: { region: "life", size: "big", scope: "organization", owner: "" },
        provisioners: ["terraform"],
        current_job: { id: workspace.latest_build.job.id },
      },
    ]);
    await stage.letGo("life");
    const running = await stage.reaches(workspace, "running");
    expect(running.latest_build).toMatchObject({
      job: { worker_id: (await stage.list())[0]?.id, tags: { region: "life" } },
      matched_provisioners: { count: 1, available: 1 },
    });
    const names = running.latest_build.resources.map(({ type, name }) => `${type}.${name}`);
    expect(names.toSorted()).toEqual(["coder_agent.main", "terraform_data.machine"]);
    expect(await stage.logOf(running)).toContain("Creation complete");
    const params = { build: running.latest_build.id };
    const { provisioner_timings: timings } = await server.admin.call(getBuildTimings, { params });
    const stages = timings.map((one) => one.stage);
    expect([...new Set(stages)].toSorted()).toEqual(["apply", "init", "plan"]);
    expect(await stage.began("life")).toBe("of-the-infrastructure\n");
    await stage.remove(workspace);
    provisioner.process.kill("SIGTERM");
    expect(await provisioner.exited).toBe(0);
    expect(await stage.list()).toMatchObject([{ name: "life-1", status: "offline" }]);
  });

  it("has its state sealed by the server, and removes what it made after a restart elsewhere", async () => {
    const key = await makeKey(server.admin, "moved", { region: "moved" });
    await stage.letGo("moved");
    const first = await stage.start(key);
    const workspace = await stage.make("moved", await stage.push("moved", { region: "moved" }));
    await stage.reaches(workspace, "running");
    await first[Symbol.asyncDispose]();
    const { rows } = await sql<{ plain: Buffer | null; sealed: Buffer }>`
      select driver_state as plain, driver_state_encrypted as sealed from workspace_builds
        where workspace_id = ${workspace.id}`.execute(server.db);
    expect(rows[0]?.plain).toBeNull();
    expect(rows[0]?.sealed.includes("lineage")).toBe(false);
    await using _ = await stage.start(key);
    await stage.remove(workspace);
  });

  it("interrupts a run whose build is canceled, and saves its state", async () => {
    const key = await makeKey(server.admin, "cancel", { region: "cancel" });
    await using _ = await stage.start(key);
    const workspace = await stage.begin("cancel", await stage.push("cancel", { region: "cancel" }));
    await server.admin.call(cancelBuild, { params: { build: workspace.latest_build.id } });
    await stage.reaches(workspace, "canceled");
    expect(await stage.list()).toContainEqual(
      expect.objectContaining({ key_name: "cancel", status: "idle" }),
    );
    await stage.remove(workspace);
  });
});

describe("a form", () => {
  it("has the parameters that the provisioner's OpenTofu reads for its values", async () => {
    const key = await makeKey(server.admin, "form", { region: "form" });
    await using _ = await stage.start(key);
    const { "main.tf": main = "", ...more } = dependentFiles;
    const options = { file: "main.tf", more, tags: { region: "form" } };
    const params = { version: await pushVersion(server.admin, main, options) };
    const body = { id: 1, inputs: { gpu: "true", gpus: "3", region: "us" } };
    const answer = await server.admin.call(evaluateParameters, { params, body });
    expect(answer.diagnostics).toEqual([]);
    const values = answer.parameters.map(({ name, value }) => `${name}=${value.value}`);
    expect(values).toEqual(expect.arrayContaining(["gpus=3", "region=us", "zone=us-1"]));
    // The server itself could not read them.
    expect(values).not.toContain("zone=eu-1");
  });
});

describe("a state that is too large", () => {
  it("fails the build, and is kept by the server for the deletion", async () => {
    const key = await makeKey(server.admin, "huge", { region: "huge" });
    // Blanks at the end of the file, which cost OpenTofu nothing.
    const afterStart = "head -c 17000000 /dev/zero | tr '\\0' ' ' >>terraform.tfstate";
    await using provisioner = await stage.start(key, { afterStart });
    const templateId = await stage.push("huge", { region: "huge" });
    await stage.letGo("huge");
    const workspace = await stage.make("huge", templateId);
    const failed = await stage.reaches(workspace, "failed");
    expect(failed.latest_build.job.error).toMatch(
      /^the state has \d{8} bytes, wanted at most 16777216/,
    );
    const { rows } = await sql<{ bytes: number }>`
      select length(driver_state_encrypted) as bytes from workspace_builds
        where workspace_id = ${workspace.id}`.execute(server.db);
    expect(rows[0]?.bytes).toBeGreaterThan(16 * 1024 * 1024);
    await stage.remove(workspace);
    expect(provisioner.output()).not.toContain("connection lost");
  });
});

describe("a lost connection", () => {
  it("leaves the run alone, which the next session continues", async () => {
    await using proxy = await TcpProxy.open(() => [{ port: Number(new URL(server.url).port) }]);
    const key = await makeKey(server.admin, "cut", { region: "cut" });
    await using provisioner = await stage.start(key, { url: proxy.url });
    const workspace = await stage.begin("cut", await stage.push("cut", { region: "cut" }));
    for (const link of proxy.links) link.cut();
    await provisioner.said("run continued in another session");
    await stage.letGo("cut");
    const running = await stage.reaches(workspace, "running");
    expect(await stage.logOf(running)).toContain("Creation complete");
    expect(await stage.began("cut")).toBe("of-the-infrastructure\n");
    await stage.remove(workspace);
  });
});

describe("a provisioner that is killed in an apply", () => {
  it("waits for the program that it left, and goes on from its state", async () => {
    const dataDir = join(stage.directory, "killed");
    const key = await makeKey(server.admin, "killed", { region: "killed" });
    const first = await stage.start(key, { dataDir });
    const workspace = await stage.begin("killed", await stage.push("killed", { region: "killed" }));
    await first[Symbol.asyncDispose]();
    await using _ = await stage.start(key, { dataDir });
    const log = async (): Promise<string> => stage.logOf(await stage.read(workspace));
    await expect.poll(log, { timeout: 60_000 }).toContain("waiting for process");
    await stage.letGo("killed");
    await stage.reaches(workspace, "running");
    expect(await stage.began("killed")).toBe("of-the-infrastructure\n");
    await stage.remove(workspace);
  });
});

describe("a drain", () => {
  it("finishes what runs and takes nothing new", async () => {
    const key = await makeKey(server.admin, "drain", { region: "drain" });
    await using provisioner = await stage.start(key);
    const template = await stage.push("drain", { region: "drain" });
    const workspace = await stage.begin("drain", template);
    provisioner.process.kill("SIGTERM");
    await provisioner.said("finishing what runs (1)");
    const second = await stage.make("second", template);
    await stage.letGo("drain");
    expect(await provisioner.exited).toBe(0);
    expect((await stage.read(workspace)).latest_build.status).toBe("running");
    expect((await stage.read(second)).latest_build).toMatchObject({
      status: "pending",
      matched_provisioners: { count: 1, available: 0 },
    });
    await stage.letGo("second");
    await using _ = await stage.start(key);
    await stage.reaches(second, "running");
    await stage.remove(workspace);
    await stage.remove(second);
  });

  it("is over at a second signal, with the state of what ran", async () => {
    const key = await makeKey(server.admin, "forced", { region: "forced" });
    await using provisioner = await stage.start(key);
    const workspace = await stage.begin("forced", await stage.push("forced", { region: "forced" }));
    provisioner.process.kill("SIGINT");
    await provisioner.said("finishing what runs (1)");
    provisioner.process.kill("SIGINT");
    expect(await provisioner.exited).toBe(1);
    const failed = await stage.reaches(workspace, "failed");
    expect(failed.latest_build.job.error).toContain("provisioner was stopped");
    await using _ = await stage.start(key);
    await stage.remove(workspace);
  });
});

describe("a deleted key", () => {
  it("ends the session and the run of its provisioner", async () => {
    const key = await makeKey(server.admin, "deleted", { region: "deleted" });
    await using provisioner = await stage.start(key);
    await stage.begin("deleted", await stage.push("deleted", { region: "deleted" }));
    const params = { organization: "default", key: "deleted" };
    await server.admin.call(deleteProvisionerKey, { params });
    expect(await provisioner.exited).toBe(1);
    expect(provisioner.output()).toContain("Provisioner key invalid");
    expect(await stage.list()).not.toContainEqual(expect.objectContaining({ key_name: "deleted" }));
  });
});
