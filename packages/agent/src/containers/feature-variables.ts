import { type JsonObject, objectOf } from "@slipway/runtime";

/** The limits on the variables that the features of an image or a configuration add. */
const maxVariables = 256;
const maxValueLength = 4096;

const variableName = /^[A-Z0-9_]{1,256}$/;

/**
 * Returns the options of features as variables, to which a configuration may refer: `port` of
 * `ghcr.io/coder/devcontainer-features/code-server:1` is `FEATURE_CODE_SERVER_OPTION_PORT` (docs/protocol/agent.md §8.7).
 * Options that are not strings, numbers or booleans are left out.
 */
export function featureVariables(features: JsonObject): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [reference, options] of Object.entries(features)) {
    const feature = /([^/:]*)(?::[^/]*)?$/.exec(reference)?.[1] ?? "";
    for (const [option, value] of Object.entries(objectOf(options))) {
      const name = `FEATURE_${variableWord(feature)}_OPTION_${variableWord(option)}`;
      const text = optionText(value);
      if (text === undefined || !variableName.test(name)) continue;
      if (Object.keys(variables).length < maxVariables) variables[name] = text;
    }
  }
  return variables;
}

function variableWord(text: string): string {
  return text.toUpperCase().replaceAll("-", "_");
}

/** Returns an option as the value of a variable, which ends at a NUL; undefined for one that cannot be. */
function optionText(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const isText = typeof value === "string" && value.length <= maxValueLength;
  return isText && !value.includes("\0") ? value : undefined;
}
