import { type JsonObject, listOf, numberOf, objectOf, textMapOf, textOf } from "@slipway/runtime";
import { formTypes, parameterTypes } from "@slipway/template";
import type {
  ExternalAuthDefinition,
  ParameterDefinition,
  PresetDefinition,
} from "@slipway/template";

import { byOrder, oneOf } from "./read-agents.ts";
import type { TerraformResource } from "./values.ts";

/** Reads the parameters, in the order of their forms. */
export function readParameters(
  resources: readonly TerraformResource[],
): readonly ParameterDefinition[] {
  return dataOf(resources, "coder_parameter").toSorted(inForm).map(readParameter);
}

function dataOf(resources: readonly TerraformResource[], type: string): TerraformResource[] {
  return resources.filter((one) => one.isData && one.type === type);
}

/** Orders by the argument `order`, then by the parameter's name. */
function inForm(one: TerraformResource, other: TerraformResource): number {
  const difference = numberOf(one.values["order"]) - numberOf(other.values["order"]);
  if (difference !== 0) return difference;
  const [name, otherName] = [textOf(one.values["name"]), textOf(other.values["name"])];
  return name === otherName ? byOrder(one, other) : name < otherName ? -1 : 1;
}

function readParameter({ values }: TerraformResource): ParameterDefinition {
  const name = textOf(values["name"]);
  const isEphemeral = values["ephemeral"] === true;
  return {
    name,
    displayName: textOf(values["display_name"]),
    description: textOf(values["description"]),
    icon: textOf(values["icon"]),
    type: oneOf(parameterTypes, values["type"], "string"),
    formType: oneOf(formTypes, values["form_type"], "input"),
    default: values["optional"] === true ? textOf(values["default"]) : undefined,
    isMutable: values["mutable"] === true,
    isEphemeral,
    options: listOf(values["option"]).map((one) => {
      const option = objectOf(one);
      return {
        name: textOf(option["name"]),
        value: textOf(option["value"]),
        description: textOf(option["description"]),
        icon: textOf(option["icon"]),
      };
    }),
    validation: readValidation(listOf(values["validation"])[0]),
    styling: readStyling(textOf(values["styling"])),
  };
}

function readValidation(block: unknown): ParameterDefinition["validation"] {
  if (block === undefined) return undefined;
  const rules = objectOf(block);
  const regex = textOf(rules["regex"]);
  const monotonic = textOf(rules["monotonic"]);
  return {
    regex: regex === "" ? undefined : regex,
    error: textOf(rules["error"]),
    min: rules["min_disabled"] === true ? undefined : numberOf(rules["min"]),
    max: rules["max_disabled"] === true ? undefined : numberOf(rules["max"]),
    monotonic: monotonic === "increasing" || monotonic === "decreasing" ? monotonic : undefined,
  };
}

/** Reads the appearance of a form element, which the configuration encodes as JSON; unknown fields are dropped. */
function readStyling(json: string): ParameterDefinition["styling"] {
  const styling = parseStyling(json);
  const { placeholder, label, disabled, mask_input: isMasked } = styling;
  const read = {
    ...(typeof placeholder === "string" ? { placeholder } : {}),
    ...(typeof label === "string" ? { label } : {}),
    ...(disabled === true ? { disabled } : {}),
    ...(isMasked === true ? { mask_input: isMasked } : {}),
  };
  return Object.keys(read).length === 0 ? undefined : read;
}

function parseStyling(json: string): JsonObject {
  try {
    return objectOf(JSON.parse(json === "" ? "{}" : json));
  } catch {
    return {}; // The provider has refused it, or accepts more than JSON.
  }
}

/** Reads the presets with their pools. */
export function readPresets(resources: readonly TerraformResource[]): readonly PresetDefinition[] {
  return dataOf(resources, "coder_workspace_preset").map(({ values }) => ({
    name: textOf(values["name"]),
    displayName: "",
    description: textOf(values["description"]),
    icon: textOf(values["icon"]),
    isDefault: values["default"] === true,
    parameters: Object.entries(textMapOf(values["parameters"])).map(([name, value]) => ({
      name,
      value,
    })),
    prebuilds: readPool(listOf(values["prebuilds"])[0]),
  }));
}

function readPool(block: unknown): PresetDefinition["prebuilds"] {
  if (block === undefined) return undefined;
  const { instances, expiration_policy: expiration, scheduling } = objectOf(block);
  const schedule = listOf(scheduling)[0];
  return {
    instances: numberOf(instances),
    expireAfterSeconds: numberOf(objectOf(listOf(expiration)[0])["ttl"]),
    schedule:
      schedule === undefined
        ? undefined
        : {
            timezone: textOf(objectOf(schedule)["timezone"]),
            windows: listOf(objectOf(schedule)["schedule"]).map((one) => ({
              cron: textOf(objectOf(one)["cron"]),
              instances: numberOf(objectOf(one)["instances"]),
            })),
          },
  };
}

/** Reads the providers that workspaces need tokens of. */
export function readExternalAuth(
  resources: readonly TerraformResource[],
): readonly ExternalAuthDefinition[] | undefined {
  const needed = dataOf(resources, "coder_external_auth").map(({ values }) => ({
    id: textOf(values["id"]),
    isOptional: values["optional"] === true,
  }));
  return needed.length === 0 ? undefined : needed;
}
