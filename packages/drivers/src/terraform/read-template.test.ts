import { expect, it } from "vitest";

import { readAgents } from "./read-agents.ts";
import { readExternalAuth, readParameters, readPresets } from "./read-parameters.ts";
import { declaresExternalAgents, readResources } from "./read-resources.ts";
import { planRelations, stateRelations } from "./relations.ts";
import { planResources, stateResources } from "./values.ts";

interface Fields {
  readonly index?: number | string;
  readonly depends_on?: readonly string[];
}

function resource(address: string, values: object, fields: Fields = {}): object {
  const [, isData, type, name] =
    /^(data\.)?(?:.*\.)?([a-z_]+)\.([^.[]+)(?:\[.*)?$/.exec(address) ?? [];
  return {
    address,
    mode: isData === undefined ? "managed" : "data",
    type,
    name,
    values,
    ...fields,
  };
}

function state(...resources: readonly object[]) {
  return stateResources({ values: { root_module: { resources } } });
}

const agent = resource("coder_agent.main", {
  id: "a1",
  os: "linux",
  arch: "arm64",
  dir: "/work",
  env: { A: "1" },
  startup_script: "echo up",
  startup_script_behavior: "blocking",
  display_apps: [{ vscode: true, web_terminal: false, ssh_helper: true }],
  resources_monitoring: [
    {
      memory: [{ enabled: true, threshold: 80 }],
      volume: [
        { enabled: false, path: "/", threshold: 90 },
        { enabled: true, path: "/home", threshold: 70 },
      ],
    },
  ],
});

it("reads an agent with everything that names it", () => {
  const resources = state(
    agent,
    resource("coder_app.b", { agent_id: "a1", slug: "b", order: 2, external: true, url: "x://y" }),
    resource("coder_app.a", { agent_id: "a1", slug: "a", order: 1, share: "public" }),
    resource("coder_app.c", { agent_id: "other", slug: "c" }),
    resource("coder_script.s", { agent_id: "a1", script: "date", cron: "0 * * * * *", timeout: 5 }),
    resource("coder_env.path", { agent_id: "a1", name: "P", value: "/a" }),
    resource("coder_env.path2", {
      agent_id: "a1",
      name: "P",
      value: "/b",
      merge_strategy: "append",
    }),
    resource("coder_devcontainer.dc", {
      agent_id: "a1",
      workspace_folder: "/p",
      config_path: null,
    }),
  );
  const [read] = readAgents(resources, stateRelations(resources));
  expect(read?.definition).toMatchObject({
    name: "main",
    arch: "arm64",
    directory: "/work",
    env: { A: "1", P: "/a:/b" },
    displayApps: ["vscode", "ssh_helper"],
    monitoring: { memoryThreshold: 80, volumes: [{ path: "/home", threshold: 70 }] },
    apps: [
      { slug: "a", share: "public", displayName: "a" },
      { slug: "b", isExternal: true },
    ],
    scripts: [
      { key: "startup", run: "echo up", runOnStart: true, blocksLogin: true },
      { key: "s", run: "date", cron: "0 * * * * *", timeoutSeconds: 5 },
    ],
    devContainers: [{ name: "dc", workspaceFolder: "/p", configPath: "" }],
  });
});

it.each([
  [
    "a name that is not that of a host",
    [resource("coder_agent.my_box", { id: "1" })],
    "wanted letters, digits",
  ],
  [
    "two agents of one name",
    [agent, resource("module.m.coder_agent.main", { id: "2" })],
    "found a second agent named main",
  ],
])("refuses %s", (_case, found, message) => {
  const resources = state(...found);
  expect(() => readAgents(resources, stateRelations(resources))).toThrow(message);
});

it("puts an agent on the nearest resource that depends on it, with its description", () => {
  const resources = state(
    agent,
    resource("docker_container.box", { id: "c1" }, { depends_on: ["coder_agent.main"] }),
    resource(
      "aws_dns.a",
      { id: "d1" },
      { depends_on: ["coder_agent.main", "docker_container.box"] },
    ),
    resource("docker_volume.home", { id: "v1" }),
    resource("coder_metadata.m", {
      resource_id: "c1",
      icon: "/icon.svg",
      hide: false,
      daily_cost: 7,
      item: [
        { key: "cpu", value: "2" },
        { key: "gone", is_null: true },
        { key: "key", value: "s", sensitive: true },
      ],
    }),
  );
  const relations = stateRelations(resources);
  const agents = readAgents(resources, relations);
  expect(readResources(resources, agents, relations)).toEqual([
    {
      type: "docker_container",
      name: "box",
      icon: "/icon.svg",
      isHidden: false,
      dailyCost: 7,
      metadata: [
        { key: "cpu", value: "2", isSensitive: false },
        { key: "key", value: "s", isSensitive: true },
      ],
      agentNames: ["main"],
    },
    { type: "aws_dns", name: "a", agentNames: [] },
    { type: "docker_volume", name: "home", agentNames: [] },
  ]);
});

it("lists an agent that nothing depends on by itself", () => {
  const resources = state(agent);
  const relations = stateRelations(resources);
  const agents = readAgents(resources, relations);
  expect(readResources(resources, agents, relations)).toEqual([
    { type: "coder_agent", name: "main", agentNames: ["main"] },
  ]);
});

it("lists the declarations that stock servers list", () => {
  const declared = [
    "env",
    "devcontainer",
    "ai_task",
    "external_agent",
    "app",
    "script",
    "metadata",
  ];
  const resources = state(
    agent,
    resource("docker_container.box", { id: "c1" }, { depends_on: ["coder_agent.main"] }),
    ...declared.map((type) => resource(`coder_${type}.one`, { agent_id: "a1" })),
    resource("data.coder_parameter.p", { name: "p" }),
  );
  const relations = stateRelations(resources);
  const agents = readAgents(resources, relations);
  expect(readResources(resources, agents, relations).map(({ type }) => type)).toEqual([
    "docker_container",
    "coder_env",
    "coder_devcontainer",
    "coder_ai_task",
    "coder_external_agent",
  ]);
});

const byAws = { id: "a1", auth: "aws-instance-identity" };
const dependsOnAgent = { depends_on: ["coder_agent.main"] };

it.each([
  [
    byAws.auth,
    "aws_instance",
    { id: "i-0d5c", arn: "arn:aws:ec2:eu-west-1:1:instance/i-0d5c" },
    "i-0d5c",
  ],
  [byAws.auth, "aws_spot_instance_request", { id: "sir-1", spot_instance_id: "i-0d5d" }, "i-0d5d"],
  [
    "azure-instance-identity",
    "azurerm_linux_virtual_machine",
    { id: "/subscriptions/1/virtualMachines/box", virtual_machine_id: "5c2e" },
    "5c2e",
  ],
  [
    "azure-instance-identity",
    "azurerm_windows_virtual_machine",
    { id: "/subscriptions/1/virtualMachines/box", virtual_machine_id: "5c2f" },
    "5c2f",
  ],
  [
    "google-instance-identity",
    "google_compute_instance",
    { id: "projects/p/zones/z/instances/box", instance_id: "4711" },
    "4711",
  ],
])("knows by %s the machine %s that depends on the agent", (auth, type, values, instanceId) => {
  const resources = state(
    resource("coder_agent.main", { id: "a1", auth }),
    resource("docker_volume.home", { id: "v" }),
    resource(`${type}.box`, values, dependsOnAgent),
  );
  const [read] = readAgents(resources, stateRelations(resources));
  expect(read?.definition.identity).toEqual({ auth, instanceId });
});

it("knows a machine behind a resource in between, and prefers the one that is named", () => {
  const behind = [
    resource("coder_agent.main", byAws),
    resource("aws_launch_template.box", { id: "lt-1" }, dependsOnAgent),
    resource(
      "aws_instance.box",
      { id: "i-1" },
      { depends_on: ["aws_launch_template.box", "coder_agent.main"] },
    ),
  ];
  const identity = (...resources: readonly object[]) => {
    const all = state(...resources);
    return readAgents(all, stateRelations(all))[0]?.definition.identity?.instanceId;
  };
  const named = (id: unknown): object =>
    resource("coder_agent_instance.box", { agent_id: "a1", instance_id: id });
  expect(identity(...behind)).toBe("i-1");
  expect(identity(...behind, named("i-2"))).toBe("i-2");
  expect(identity(...behind, named(""))).toBe("i-1");
  expect(identity(...behind, named(null))).toBe("i-1");
});

it.each([
  ["has a token", { id: "a1", auth: "token" }, "aws_instance", { id: "i-1" }],
  ["has no machine that depends on it", byAws, "docker_container", { id: "i-1" }],
  ["is on a machine of another cloud", byAws, "google_compute_instance", { instance_id: "1" }],
  ["is on a machine that has no id yet", byAws, "aws_spot_instance_request", { id: "sir-1" }],
] as const)("knows no machine for an agent that %s", (_what, values, type, machine) => {
  const resources = state(
    resource("coder_agent.main", values),
    resource(`${type}.box`, machine, dependsOnAgent),
    resource("aws_instance.other", { id: "i-9" }),
  );
  const [read] = readAgents(resources, stateRelations(resources));
  expect(read?.definition.identity).toBeUndefined();
});

it("finds agents that people start in a configuration, also in its modules and if none is planned", () => {
  const plan = (resources: readonly string[], inModule: readonly string[] = []) => ({
    configuration: {
      root_module: {
        resources: resources.map((address) => ({ address })),
        module_calls: {
          coder_external_agent: { module: { resources: inModule.map((address) => ({ address })) } },
        },
      },
    },
  });
  expect(declaresExternalAgents(plan(["coder_agent.a", "coder_external_agent.a"]))).toBe(true);
  expect(declaresExternalAgents(plan([], ["coder_external_agent.a"]))).toBe(true);
  expect(declaresExternalAgents(plan(["coder_agent.coder_external_agent"], ["x.y"]))).toBe(false);
  expect(declaresExternalAgents({})).toBe(false);
});

it("finds the agents of a plan, whose ids are not known yet", () => {
  const plan = {
    planned_values: {
      root_module: {
        resources: [
          resource("coder_agent.main[0]", { os: "linux" }, { index: 0 }),
          resource("coder_agent.gpu", { os: "linux" }),
          resource("coder_app.web[0]", { slug: "web" }, { index: 0 }),
          resource("docker_container.box", {}),
        ],
      },
    },
    configuration: {
      root_module: {
        resources: [
          {
            address: "coder_app.web",
            expressions: { agent_id: { references: ["coder_agent.main[0].id"] } },
          },
          {
            address: "docker_container.box",
            expressions: { env: { references: ["coder_agent.main[0].token", "coder_agent.main"] } },
          },
        ],
      },
    },
  };
  const resources = planResources(plan);
  const relations = planRelations(plan, resources);
  const agents = readAgents(resources, relations);
  expect(agents.map(({ definition: { name, apps } }) => [name, apps.length])).toEqual([
    ["gpu", 0],
    ["main", 1],
  ]);
  expect(readResources(resources, agents, relations)).toEqual([
    { type: "coder_agent", name: "gpu", agentNames: ["gpu"] },
    { type: "docker_container", name: "box", agentNames: ["main"] },
  ]);
});

it("reads parameters in the order of their forms", () => {
  const resources = state(
    resource("data.coder_parameter.z", { name: "z", order: null, optional: false, type: "string" }),
    resource("data.coder_parameter.n", {
      name: "n",
      order: 1,
      optional: true,
      default: "3",
      type: "number",
      form_type: "slider",
      mutable: true,
      ephemeral: true,
      styling: '{"placeholder":"GB","unknown":1}',
      validation: [
        { min: 1, max: 0, max_disabled: true, min_disabled: false, monotonic: "increasing" },
      ],
      option: [{ name: "Three", value: "3", icon: "", description: "" }],
    }),
  );
  expect(readParameters(resources)).toMatchObject([
    { name: "z", default: undefined, validation: undefined, isEphemeral: false },
    {
      name: "n",
      default: "3",
      type: "number",
      formType: "slider",
      isMutable: true,
      isEphemeral: true,
      validation: { min: 1, max: undefined, monotonic: "increasing", regex: undefined },
      options: [{ name: "Three", value: "3" }],
      styling: { placeholder: "GB" },
    },
  ]);
});

it("reads presets with their pools, and the log-ins that workspaces need", () => {
  const resources = state(
    resource("data.coder_workspace_preset.p", {
      name: "Large",
      default: true,
      parameters: { size: "large" },
      prebuilds: [
        {
          instances: 2,
          expiration_policy: [{ ttl: 3_600 }],
          scheduling: [{ timezone: "UTC", schedule: [{ cron: "* 8-18 * * 1-5", instances: 5 }] }],
        },
      ],
    }),
    resource("data.coder_external_auth.git", { id: "github", optional: null }),
  );
  expect(readPresets(resources)).toEqual([
    {
      name: "Large",
      displayName: "",
      description: "",
      icon: "",
      isDefault: true,
      parameters: [{ name: "size", value: "large" }],
      prebuilds: {
        instances: 2,
        expireAfterSeconds: 3_600,
        schedule: { timezone: "UTC", windows: [{ cron: "* 8-18 * * 1-5", instances: 5 }] },
      },
    },
  ]);
  expect(readExternalAuth(resources)).toEqual([{ id: "github", isOptional: false }]);
  expect(readExternalAuth([])).toBeUndefined();
});
