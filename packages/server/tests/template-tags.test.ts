import { randomUUID } from "node:crypto";

import { createTemplate } from "@slipway/api/templates/routes";
import { getTemplateVersionLogs } from "@slipway/api/templates/version-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import { pushVersion } from "@slipway/testkit";
import { expect, inject, it } from "vitest";

import { openServer } from "./support/open-server.ts";
import { makeKey } from "./support/provisioner-process.ts";
import {
  addProvisionerElsewhere,
  agent,
  connect,
  json,
  reading,
  resource,
} from "./support/raw-provisioner-jobs.ts";
import { RawProvisioner } from "./support/raw-provisioner.ts";

it("sends builds to provisioners with the tags of the push and of the template, by the values chosen", async () => {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" }));
  const { provisioner: importer } = await connect(server, "import");
  opened.use(importer);
  const pushing = pushVersion(server.admin, "# x", { file: "main.tf", tags: { only: "import" } });
  const { call } = await importer.nextCall();
  const parameter = {
    name: "where",
    displayName: "",
    description: "",
    icon: "",
    type: "string",
    formType: "input",
    default: "home",
    isMutable: true,
    isEphemeral: false,
    options: [],
  };
  const tags = [
    { name: "zone", value: "home", parameter: "where" },
    { name: "only", value: "other" },
  ];
  const definition = { ...reading.definition, parameters: [parameter], tags };
  importer.sendPart(call, "result", json({ ...reading, definition }));
  importer.send({ type: "end", call });
  const version = await pushing;
  const logs = await server.admin.call(getTemplateVersionLogs, { params: { version }, query: {} });
  expect(logs.map(({ output }) => output)).toContain(
    "the template sends builds to provisioners with only=other zone=home",
  );
  const template = await server.admin.call(createTemplate, {
    params: { organization: "default" },
    body: { name: "tagged", template_version_id: version },
  });
  const created = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: {
      name: "tagged",
      template_id: template.id,
      rich_parameter_values: [{ name: "where", value: "away" }],
    },
  });
  await addProvisionerElsewhere(server, { only: "import", zone: "away" });
  const { latest_build: build } = await server.admin.call(getWorkspace, {
    params: { workspace: created.id },
  });
  expect(build).toMatchObject({
    job: { status: "pending", tags: { only: "import", zone: "away" } },
    matched_provisioners: { count: 0, available: 0 },
  });

  const key = await makeKey(server.admin, "away", { only: "import", zone: "away" });
  const id = randomUUID();
  const away = await RawProvisioner.connect({ url: server.url, key, id });
  opened.use(away);
  const start = await away.nextCall();
  expect(start.method).toBe("start");
  const token = "5d3a9b1e-9a3a-4b38-8f4e-1f1f6f6a7c11";
  const result = { resources: [resource], agents: [{ definition: agent, token }] };
  away.sendPart(start.call, "result", json(result));
  away.sendPart(start.call, "state", json({ version: 4, serial: 1 }));
  away.send({ type: "end", call: start.call });
  const status = async (): Promise<string> =>
    (await server.admin.call(getWorkspace, { params: { workspace: created.id } })).latest_build
      .status;
  await expect.poll(status, { timeout: 30_000 }).toBe("running");
});
