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
