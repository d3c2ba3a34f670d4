import { expect, it } from "vitest";

import { dependencyWarnings } from "./dependent-parameters.ts";

function parameter(name: string, fields: object): object {
  return { address: `data.coder_parameter.${name}`, expressions: {}, ...fields };
}

const refers = (...references: readonly string[]) => ({ references });

it("warns of parameters whose count, default or options other values decide", () => {
  const plan = {
    configuration: {
      root_module: {
        resources: [
          parameter("plain", {}),
          parameter("detail", {
            count_expression: refers(
              "data.coder_parameter.plain.value",
              "data.coder_parameter.plain",
            ),
          }),
          parameter("greeting", {
            expressions: { default: refers("data.coder_workspace_owner.me.name") },
          }),
          parameter("image", {
            expressions: { option: [{ value: refers("data.coder_parameter.detail[0].value") }] },
          }),
          parameter("fixed", { expressions: { default: refers("data.coder_workspace.me.name") } }),
          { address: "null_resource.box", count_expression: refers("data.coder_parameter.plain") },
        ],
        module_calls: {
          one: {
            expressions: { size: refers("data.coder_parameter.plain.value") },
            module: {
              resources: [parameter("inner", { for_each_expression: refers("var.size") })],
            },
          },
        },
      },
    },
  };
  expect(dependencyWarnings(plan).map((text) => text.split(":")[0])).toEqual([
    "data.coder_parameter.detail depends on data.coder_parameter.plain",
    "data.coder_parameter.greeting depends on data.coder_workspace_owner.me",
    "data.coder_parameter.image depends on data.coder_parameter.detail",
    "module.one.data.coder_parameter.inner depends on data.coder_parameter.plain",
  ]);
  expect(dependencyWarnings({})).toEqual([]);
});
