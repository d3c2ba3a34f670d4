import { createBuild } from "@slipway/api/workspaces/build-routes";
import { getWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import { pushTemplate, requireAgent } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { addMachine, machineTemplate } from "./support/machines.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { claim, fillPool, pushPoolOf, waitForPrebuilds } from "./support/pool.ts";

/* Machines named in templates, as builds record them. */

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterAll(() => opened.disposeAsync());

it("shows which machine an agent runs on, and none of an agent with a token", async () => {
  const id = await pushTemplate(server.admin, "shown", machineTemplate("aws-instance-identity"));
  const workspace = await addMachine(server.admin, id, "shown", "i-0123");
  expect(requireAgent(workspace)).toMatchObject({ instance_id: "i-0123" });
  const plain = "driver: external\nparameters: { instance: {} }\nagents: { main: {} }";
  const other = await pushTemplate(server.admin, "plain", plain);
  expect(requireAgent(await addMachine(server.admin, other, "plain", "i-0123"))).not.toHaveProperty(
    "instance_id",
  );
});

it("refuses a build that names what is no machine, and changes nothing", async () => {
  const id = await pushTemplate(server.admin, "refused", machineTemplate("aws-instance-identity"));
  const refused = {
    status: 400,
    body: {
      message: "Validation failed.",
      validations: [
        {
          field: "rich_parameter_values",
          detail:
            'agent main: found the instance_id "i 1", wanted 1 to 256 visible ASCII characters without spaces',
        },
      ],
    },
  };
  const count = async () => {
    const { workspaces } = await server.admin.call(listWorkspaces, { query: { q: "" } });
    return workspaces.length;
  };
  const before = await count();
  const instance = { name: "instance", value: "i 1" };
  const rich_parameter_values = [instance];
  const body = { name: "refused", template_id: id, rich_parameter_values };
  expect(await server.request("POST", "/users/me/workspaces", body)).toMatchObject(refused);
  expect(await count()).toBe(before);
  const { id: workspaceId } = await addMachine(server.admin, id, "kept", "i-1");
  const path = `/workspaces/${workspaceId}/builds`;
  const start = { transition: "start", rich_parameter_values };
  expect(await server.request("POST", path, start)).toMatchObject(refused);
  const params = { workspace: workspaceId };
  const { latest_build: build } = await server.admin.call(getWorkspace, { params });
  expect(build.build_number).toBe(1);
  // A stop does not name a machine.
  await server.admin.call(createBuild, { params, body: { transition: "stop" } });
});

it("refuses a claim that names what is no machine, and leaves the prebuild waiting", async () => {
  const more = machineTemplate(
    "aws-instance-identity",
    ["main", "second"],
    "presets: { ready: { parameters: { instance: i-2 }, prebuilds: { instances: 1 } } }",
  )
    .replace("parameters:\n", 'parameters:\n  more: { default: "" }\n')
    .replaceAll("{ parameters.instance }}", "{ parameters.instance }}${{ parameters.more }}");
  const pool = await pushPoolOf(server, "claimed", more);
  const [filled] = await fillPool(server, 1, opened);
  const { client } = await addPerson(server, "ann");
  await expect(claim(client, "mine", pool, [{ name: "more", value: " x" }])).rejects.toThrow(
    /Validation failed/,
  );
  const [waiting] = await waitForPrebuilds(server, 1);
  expect(waiting?.id).toBe(filled?.workspace.id);
  const claimed = await claim(client, "mine", pool, [{ name: "more", value: "x" }]);
  expect(claimed.id).toBe(waiting?.id);
  expect(requireAgent(claimed).instance_id).toBe("i-2x");
});

it("does not fill a pool whose preset names what is no machine", async () => {
  const presets =
    'presets: { bad: { parameters: { instance: "i 3" }, prebuilds: { instances: 1 } } }';
  const text = machineTemplate("aws-instance-identity", ["main"], presets);
  const { presetId } = await pushPoolOf(server, "bad", text);
  const status = () =>
    server.db
      .selectFrom("template_version_presets")
      .where("id", "=", presetId)
      .select("prebuild_status")
      .executeTakeFirst();
  await expect.poll(status).toEqual({ prebuild_status: "validation_failed" });
});
