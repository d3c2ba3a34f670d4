import { listProvisionerJobs } from "@slipway/api/organizations/provisioner-routes";
import { listPrebuildPools } from "@slipway/api/prebuilds/routes";
import { getTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { pushTemplate } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { claim, connectAgents, becomeReady, listPrebuilds, type TestPool } from "./support/pool.ts";

let opened: AsyncDisposableStack;
let server: OpenServer;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
  await server.db.insertInto("organizations").values({ name: "second" }).execute();
});

afterEach(() => opened.disposeAsync());

const template = `
driver: external
presets:
  ready: { prebuilds: { instances: 1 } }
agents:
  main: { os: linux, arch: amd64 }
  second: { os: linux, arch: amd64 }
`;

async function pushTo(organization: string): Promise<TestPool> {
  const id = await pushTemplate(server.admin, "pool", template, organization);
  const pushed = await server.admin.call(getTemplate, { params: { template: id } });
  const params = { version: pushed.active_version_id };
  const [preset] = await server.admin.call(listTemplateVersionPresets, { params });
  return { template: pushed, presetId: preset?.ID ?? "" };
}

it("claims in a second organization, whose pool has the names of one in the first", async () => {
  const first = await pushTo("default");
  const second = await pushTo("second");
  expect(second.template.organization_id).not.toBe(first.template.organization_id);
  const params = { organization: "second" };
  const jobs = await server.admin.call(listProvisionerJobs, { params });
  expect(new Set(jobs.map(({ organization_id: id }) => id))).toEqual(
    new Set([second.template.organization_id]),
  );
  const running = async () =>
    (await listPrebuilds(server.admin)).filter(({ latest_build: b }) => b.status === "running");
  await expect.poll(async () => (await running()).length, { timeout: 30_000 }).toBe(2);
  const waiting = await running();
  for (const { id } of waiting) {
    for (const agent of await connectAgents(server, id)) {
      opened.defer(() => agent.connection.close());
      await becomeReady(agent);
    }
  }
  const { client } = await addPerson(server, "ann");
  const workspace = await claim(client, "mine", second);
  const prebuild = waiting.find(({ template_id }) => template_id === second.template.id);
  expect(workspace).toMatchObject({
    id: prebuild?.id,
    organization_id: second.template.organization_id,
    organization_name: "second",
    template_name: "pool",
  });
  const pools = await server.admin.call(listPrebuildPools, {});
  expect(pools).toMatchObject([
    { organization_name: "default", template_name: "pool", eligible: 1, claimed: 0 },
    { organization_name: "second", template_name: "pool", eligible: 0, claimed: 1 },
  ]);
  const lines = (await (await fetch(`${server.url}/metrics`)).text()).split("\n");
  const claimed = lines.filter((line) => line.startsWith("slipway_prebuilt_workspaces_claimed"));
  const labels = (name: string): string =>
    `{template_name="pool",preset_name="ready",organization_name="${name}"}`;
  expect(claimed.toSorted()).toEqual([
    `slipway_prebuilt_workspaces_claimed_total${labels("default")} 0`,
    `slipway_prebuilt_workspaces_claimed_total${labels("second")} 1`,
  ]);
});
