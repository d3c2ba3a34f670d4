import { expect, it } from "vitest";

import { findParameterSources } from "./dependent-parameters.ts";
import { planResources } from "./values.ts";

function parameter(name: string, expressions: object = {}, fields: object = {}): object {
  const constant = { name: { constant_value: name } };
  return {
    address: `data.coder_parameter.${name}`,
    expressions: { ...constant, ...expressions },
    ...fields,
  };
}

const refers = (...references: readonly string[]) => ({ references });
const size = parameter("size", { default: { constant_value: "2" } });

/** Returns whether a configuration with these resources and one more parameter has dependent parameters. */
function isDependent(resources: readonly object[], module: object = {}): boolean {
  const root = { resources: [size, ...resources], ...module };
  return findParameterSources({ configuration: { root_module: root } }, []) !== undefined;
}

it("tells where parameters are declared, with their constant names", () => {
  const plan = {
    configuration: {
      root_module: {
        resources: [
          size,
          parameter("reset", { ephemeral: { constant_value: true } }),
          parameter("each", { name: refers("each.key"), ephemeral: refers("each.value") }),
          parameter("detail", {}, { count_expression: refers("data.coder_parameter.size.value") }),
          { address: "null_resource.box", expressions: {} },
        ],
        module_calls: { ide: { module: { resources: [parameter("theme")] } } },
      },
    },
  };
  expect(findParameterSources(plan, [])).toEqual([
    { address: "data.coder_parameter.size", name: "size", mayBeEphemeral: false },
    { address: "data.coder_parameter.reset", name: "reset", mayBeEphemeral: true },
    { address: "data.coder_parameter.each", name: undefined, mayBeEphemeral: true },
    { address: "data.coder_parameter.detail", name: "detail", mayBeEphemeral: false },
    { address: "module.ide.data.coder_parameter.theme", name: "theme", mayBeEphemeral: false },
  ]);
});

it.each([
  ["the count", parameter("x", {}, { count_expression: refers("data.coder_parameter.size") })],
  ["a default", parameter("x", { default: refers("data.coder_workspace_owner.me.name") })],
  ["an option", parameter("x", { option: [{ value: refers("data.coder_parameter.size.value") }] })],
  ["a local", parameter("x", { default: refers("local.zones") })],
])("finds a parameter of which %s depends on other values", (_case, dependent) => {
  expect(isDependent([dependent])).toBe(true);
});

it("finds dependencies through other data", () => {
  const lookup = { address: "data.http.zones", expressions: { url: refers("local.url") } };
  expect(isDependent([parameter("x", { default: refers("data.http.zones.body") }), lookup])).toBe(
    true,
  );
});

it("finds dependencies through inputs and counts of modules", () => {
  const inner = (fields: object) => ({
    module_calls: {
      one: {
        expressions: { on: refers("data.coder_parameter.size.value") },
        module: { resources: [parameter("inner", {}, fields)] },
      },
    },
  });
  expect(isDependent([], inner({}))).toBe(false);
  expect(isDependent([], inner({ for_each_expression: refers("var.on") }))).toBe(true);
  const nested = { nested: { module: { resources: [parameter("deep")] } } };
  const counted = {
    count_expression: refers("data.coder_parameter.size.value"),
    module: { module_calls: nested },
  };
  expect(isDependent([], { module_calls: { one: counted } })).toBe(true);
});

it("takes options that the configuration does not show for dynamic blocks", () => {
  const plan = (expressions: object) => ({
    configuration: { root_module: { resources: [parameter("zone", expressions)] } },
    prior_state: {
      values: {
        root_module: {
          resources: [
            {
              address: "data.coder_parameter.zone[0]",
              mode: "data",
              values: { option: [{ name: "A", value: "a" }], validation: [] },
            },
          ],
        },
      },
    },
  });
  const find = (expressions: object) => {
    const found = plan(expressions);
    return findParameterSources(found, planResources(found));
  };
  expect(find({})).toHaveLength(1);
  expect(find({ option: [{ value: { constant_value: "a" } }] })).toBeUndefined();
});

it("finds nothing in parameters that are the same for everyone", () => {
  const fixed = parameter("fixed", { default: refers("data.coder_workspace.me.name", "var.x") });
  const box = {
    address: "null_resource.box",
    count_expression: refers("data.coder_parameter.size"),
  };
  expect(isDependent([fixed, box])).toBe(false);
  expect(findParameterSources({}, [])).toBeUndefined();
});
