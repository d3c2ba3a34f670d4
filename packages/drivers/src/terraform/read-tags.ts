import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { type JsonObject, objectOf, textOf } from "@slipway/runtime";
import type { ParameterDefinition, TagDefinition } from "@slipway/template";

import { DriverError } from "../errors.ts";
import { readStart } from "./named-attributes.ts";
import { References } from "./references.ts";
import type { TerraformResource } from "./values.ts";

/** The tags of the provisioners that carry out the builds of a configuration. */
export interface DeclaredTags {
  readonly tags: readonly TagDefinition[];
  /** Warnings about tags that do not follow the values of a workspace. */
  readonly warnings: readonly string[];
}

/** The plan of a configuration, the directory of its files, and the parameters that it declares. */
interface PlannedConfiguration {
  readonly plan: JsonObject;
  readonly directory: string;
  readonly parameters: readonly ParameterDefinition[];
}

/**
 * Reads the tags of `coder_workspace_tags` as a plan with all defaults has them. A tag whose value is that of a parameter, and
 * nothing else, follows the values of a build. Throws `DriverError` for tags that a plan does not know.
 */
export async function readTags(
  resources: readonly TerraformResource[],
  { plan, directory, parameters }: PlannedConfiguration,
): Promise<DeclaredTags> {
  const sources = resources.filter(({ isData, type }) => isData && type === "coder_workspace_tags");
  if (sources.length === 0) return { tags: [], warnings: [] };
  const references = new References(plan);
  const names = parameterNames(resources);
  const direct = await directReferences(directory);
  const tags = new Map<string, TagDefinition>();
  const warnings: string[] = [];
  for (const source of sources) {
    const { address, configAddress } = source;
    const depends = references
      .ofArgument(configAddress, "tags")
      .filter((one) => /(^|\.)data\.coder_parameter\.[^.]+$/.test(one));
    for (const [name, value] of known(source)) {
      if (isUsual(name, value)) continue;
      if (tags.has(name)) throw invalid(address, `found a second tag ${JSON.stringify(name)}`);
      const reference = direct.get(`${configAddress} ${name}`);
      const parameter = parameters.find((one) => one.name === names.get(reference ?? ""));
      const follows = parameter !== undefined && (parameter.default ?? "") === value;
      tags.set(name, { name, value, ...(follows ? { parameter: parameter.name } : {}) });
    }
    const isFixed = [...tags.values()].every(({ parameter }) => parameter === undefined);
    if (depends.length > 0 && isFixed) {
      warnings.push(
        `${address} depends on ${depends.slice(0, maxListed).join(", ")}: all builds have the tags of a plan with the defaults of all parameters. A tag follows a parameter if its value is data.coder_parameter.<name>.value alone.`,
      );
    }
  }
  return { tags: [...tags.values()], warnings };
}

const maxListed = 5;

/** Returns the tags of a data source. A plan reads it, and so gives it an id, unless its tags depend on a resource. */
function known({ address, values: { id, tags } }: TerraformResource): readonly [string, string][] {
  if (textOf(id) === "") {
    throw invalid(
      address,
      "its tags are known only after apply, wanted tags that no resource decides",
    );
  }
  return Object.entries(objectOf(tags)).map(([name, value]) => {
    if (typeof value === "string") return [name, value];
    throw invalid(address, `the tag ${JSON.stringify(name)} has no value, wanted a text`);
  });
}

/** Reports whether a tag is one that every job of an organization has on a stock server. */
function isUsual(name: string, value: string): boolean {
  return (name === "scope" && value === "organization") || (name === "owner" && value === "");
}

function invalid(address: string, problem: string): DriverError {
  return new DriverError("invalid-template", `${address}: ${problem}`);
}

/** Returns the names of the parameters by the configuration addresses of their data sources. */
function parameterNames(resources: readonly TerraformResource[]): ReadonlyMap<string, string> {
  return new Map(
    resources
      .filter(({ isData, type, key }) => isData && type === "coder_parameter" && key === undefined)
      .map(({ configAddress, values }) => [configAddress, textOf(values["name"])]),
  );
}

const block =
  /^[ \t]*data[ \t]+"coder_workspace_tags"[ \t]+"([\w-]+)"[ \t]*\{([^{}]*\{[^{}]*\}[^{}]*)\}/gm;
const line =
  /^[ \t]*"?([^"\s=:{}]+)"?[ \t]*[=:][ \t]*(data\.coder_parameter\.[\w-]+)\.value[ \t]*,?[ \t]*(?:(?:#|\/\/).*)?$/gm;

/**
 * Finds the tags whose values are those of parameters in the files of the root module: a plan shows the references of all tags
 * of a data source together. The keys are the address of the data source and the name of the tag.
 */
async function directReferences(directory: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const files = (await readdir(directory)).filter((name) => name.endsWith(".tf"));
  for (const file of files) {
    const text = (await readStart(join(directory, file))).toString();
    for (const [, name = "", content = ""] of text.matchAll(block)) {
      for (const [, tag = "", parameter = ""] of content.matchAll(line)) {
        found.set(`data.coder_workspace_tags.${name} ${tag}`, parameter);
      }
    }
  }
  return found;
}
