import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";

/** Returns a parameter as the server evaluates it; without `changes` it is an optional text without a value. */
export function evaluatedParameter(
  name: string,
  changes: Partial<EvaluatedParameter> = {},
): EvaluatedParameter {
  return {
    name,
    display_name: "",
    description: "",
    type: "string",
    form_type: "input",
    styling: {},
    mutable: true,
    default_value: maybeValue(undefined),
    icon: "",
    options: [],
    validations: [],
    required: false,
    order: 0,
    ephemeral: false,
    value: maybeValue(undefined),
    diagnostics: [],
    ...changes,
  };
}

/** Returns a value as an evaluation has it. */
export function maybeValue(value: string | undefined): EvaluatedParameter["value"] {
  return { value: value ?? "", valid: value !== undefined };
}
