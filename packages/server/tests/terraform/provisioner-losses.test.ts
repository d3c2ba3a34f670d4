import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { logInAsAdmin, openTestDatabase, startServerProcess } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { makeKey } from "../support/provisioner-process.ts";
import { ProvisionerStage } from "./provisioner-stage.ts";

const opened = new AsyncDisposableStack();
let client: Awaited<ReturnType<typeof logInAsAdmin>>;
let stage: ProvisionerStage;

beforeAll(async () => {
  stage = opened.use(await ProvisionerStage.open(() => client));
}, 1_200_000);
afterAll(() => opened.disposeAsync());

it("a run goes on while its server is killed and starts again", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-killed-"));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const options = {
    dataDir,
    environment: {
      SLIPWAY_POSTGRES_URL: database.url,
      SLIPWAY_TERRAFORM: "off",
      SLIPWAY_DASHBOARD: "false",
    },
  };
  const first = await startServerProcess({ ...options, port: 0 });
  client = await logInAsAdmin(first.url);
  const key = await makeKey(client, "server", { region: "server" });
  const provisioner = opened.use(await stage.start(key));
  const workspace = await stage.begin("server", await stage.push("server", { region: "server" }));
  await first.end("SIGKILL");
  const port = Number(new URL(first.url).port);
  const second = opened.use(await startServerProcess({ ...options, port }));
  client = await logInAsAdmin(second.url);
  await provisioner.said("run continued in another session");
  await stage.letGo("server");
  const running = await stage.reaches(workspace, "running");
  expect(await stage.logOf(running)).toContain("Creation complete");
  expect(await stage.began("server")).toBe("of-the-infrastructure\n");
  await stage.remove(workspace);
});
