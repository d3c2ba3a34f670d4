import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { readParameters } from "./read-parameters.ts";
import { type DeclaredTags, readTags } from "./read-tags.ts";
import { planResources } from "./values.ts";

interface Source {
  readonly address?: string;
  readonly tags: unknown;
  readonly id?: string;
  readonly references?: readonly string[];
}

/** Reads the tags of a configuration with the parameter `region`, whose default is `eu`. */
async function read(sources: readonly Source[], text = ""): Promise<DeclaredTags> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-tags-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "main.tf"), text);
  const data = { mode: "data" };
  const parameter = {
    ...data,
    address: "data.coder_parameter.where",
    type: "coder_parameter",
    name: "where",
    values: { name: "region", type: "string", optional: true, default: "eu", value: "eu" },
  };
  const resources = sources.map(({ address = "data.coder_workspace_tags.main", id = "1", tags }) =>
    Object.assign(
      { address, type: "coder_workspace_tags", name: "main", values: { id, tags } },
      data,
    ),
  );
  const configured = sources.map(
    ({ address = "data.coder_workspace_tags.main", references = [] }) => ({
      address,
      expressions: { tags: { references } },
    }),
  );
  const plan = {
    prior_state: { values: { root_module: { resources: [parameter, ...resources] } } },
    configuration: { root_module: { resources: configured } },
  };
  const planned = planResources(plan);
  return readTags(planned, { plan, directory, parameters: readParameters(planned) });
}

const references = ["data.coder_parameter.where.value", "data.coder_parameter.where"];

it("reads the tags of all data sources, without those that every job has", async () => {
  const other = "data.coder_workspace_tags.other";
  const sources = [
    { tags: { zone: "home", scope: "organization", owner: "" } },
    { address: other, tags: { size: "" } },
    { address: "data.coder_workspace_tags.none", tags: null },
  ];
  expect(await read(sources)).toEqual({
    tags: [
      { name: "zone", value: "home" },
      { name: "size", value: "" },
    ],
    warnings: [],
  });
  expect(await read([])).toEqual({ tags: [], warnings: [] });
});

it.each([
  [[{ tags: {}, id: "" }], "data.coder_workspace_tags.main: its tags are known only after apply"],
  [[{ tags: { zone: null } }], 'the tag "zone" has no value, wanted a text'],
  [
    [{ tags: { zone: "a" } }, { address: "data.coder_workspace_tags.b", tags: { zone: "a" } }],
    'data.coder_workspace_tags.b: found a second tag "zone"',
  ],
])("refuses %j", async (sources, message) => {
  await expect(read(sources)).rejects.toThrow(message);
});

it.each([
  ["a bare name", "region = data.coder_parameter.where.value"],
  ["a quoted name", '"region" = data.coder_parameter.where.value, # where it runs'],
  ["a colon", '  "region" : data.coder_parameter.where.value'],
])("follows a parameter that is a tag's whole value, after %s", async (_what, entry) => {
  const text = `data "coder_workspace_tags" "main" {\n  tags = {\n${entry}\nzone = "eu"\n  }\n}\n`;
  expect(await read([{ tags: { region: "eu", zone: "eu" }, references }], text)).toEqual({
    tags: [
      { name: "region", value: "eu", parameter: "region" },
      { name: "zone", value: "eu" },
    ],
    warnings: [],
  });
});

it.each([
  ["part of a value", 'region = "${data.coder_parameter.where.value}"'],
  ["in a comment", '# region = data.coder_parameter.where.value\nregion = lower("EU")'],
  ["given to a function", "region = lower(data.coder_parameter.where.value)"],
])("warns of a parameter that is %s", async (_what, entry) => {
  const text = `data "coder_workspace_tags" "main" {\n  tags = {\n${entry}\n  }\n}\n`;
  const { tags, warnings } = await read([{ tags: { region: "eu" }, references }], text);
  expect(tags).toEqual([{ name: "region", value: "eu" }]);
  expect(warnings).toEqual([
    expect.stringContaining(
      "data.coder_workspace_tags.main depends on data.coder_parameter.where: ",
    ),
  ]);
});

it("does not take the text of one data source for another's, or another value for the parameter's", async () => {
  const entry = "{ tags = {\nregion = data.coder_parameter.where.value\n} }";
  const elsewhere = `data "coder_workspace_tags" "other" ${entry}`;
  expect((await read([{ tags: { region: "eu" }, references }], elsewhere)).tags).toEqual([
    { name: "region", value: "eu" },
  ]);
  const here = `data "coder_workspace_tags" "main" ${entry}`;
  expect((await read([{ tags: { region: "us" }, references }], here)).tags).toEqual([
    { name: "region", value: "us" },
  ]);
});
