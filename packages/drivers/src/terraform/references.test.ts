import { expect, it } from "vitest";

import { References } from "./references.ts";

const references = new References({
  configuration: {
    root_module: {
      resources: [
        { address: "coder_agent.main", expressions: {} },
        {
          address: "docker_container.box",
          expressions: {
            env: { references: ["coder_agent.main.token", "coder_agent.main"] },
            host: [{ ip: { references: ["docker_network.net[0].id"] } }],
          },
          depends_on: ["docker_volume.home"],
        },
      ],
      module_calls: {
        ide: {
          expressions: { agent_id: { references: ["coder_agent.main.id", "coder_agent.main"] } },
          module: {
            outputs: { url: { expression: { references: ["coder_app.code.url"] } } },
            resources: [
              {
                address: "coder_app.code",
                expressions: { agent_id: { references: ["var.agent_id"] } },
              },
            ],
          },
        },
        user: {
          expressions: { url: { references: ["module.ide.url", "module.ide"] } },
          module: {
            resources: [
              { address: "null_resource.x", expressions: { t: { references: ["var.url"] } } },
            ],
          },
        },
      },
    },
  },
});

it("finds what a resource names, in nested blocks too", () => {
  expect(references.of("docker_container.box")).toEqual([
    "coder_agent.main",
    "docker_network.net",
    "docker_volume.home",
  ]);
});

it("follows inputs of modules to their caller", () => {
  expect(references.ofArgument("module.ide.coder_app.code", "agent_id")).toEqual([
    "coder_agent.main",
  ]);
});

it("follows outputs of modules", () => {
  expect(references.of("module.user.null_resource.x")).toEqual(["module.ide.coder_app.code"]);
});

it("ignores what is not a configuration", () => {
  expect(new References({ configuration: "x" }).addresses).toEqual([]);
  expect(new References({}).ofArgument("coder_app.x", "agent_id")).toEqual([]);
});

it("finds what provisioners name, also by the keys of a module's instances", () => {
  const machine = {
    resources: [
      {
        address: "terraform_data.process",
        provisioners: [
          { type: "local-exec", expressions: { environment: { references: ["var.token"] } } },
        ],
      },
    ],
  };
  const tokens = { references: ["coder_agent.a.token", "coder_agent.a", "coder_agent.b.token"] };
  const found = new References({
    configuration: {
      root_module: {
        resources: [
          {
            address: "terraform_data.each",
            expressions: { input: { references: ["each.value", "each.key"] } },
            for_each_expression: { references: ["coder_agent.c.token"] },
          },
        ],
        module_calls: {
          machine: {
            expressions: { token: { references: ["each.value"] } },
            for_each_expression: tokens,
            module: machine,
          },
        },
      },
    },
  });
  expect(found.of("module.machine.terraform_data.process")).toEqual([
    "coder_agent.a",
    "coder_agent.b",
  ]);
  expect(found.of("terraform_data.each")).toEqual(["coder_agent.c"]);
});
