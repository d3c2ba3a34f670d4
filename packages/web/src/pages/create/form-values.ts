import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import type { Preset, TemplateVersionParameter } from "@slipway/api/templates/template-version";

export type FormValues = Readonly<Record<string, string>>;

/** Returns the values of a preset by their names. */
export function presetValues(preset: Preset | undefined): FormValues {
  return Object.fromEntries((preset?.Parameters ?? []).map(({ Name, Value }) => [Name, Value]));
}

/**
 * Returns what is sent for a new workspace: what was entered or chosen, and of the rest what the server evaluated. A
 * parameter without a value is left out, so that the server says that it is required.
 */
export function valuesToSend(
  parameters: readonly EvaluatedParameter[],
  values: FormValues,
): { name: string; value: string }[] {
  return parameters.flatMap(({ name, value }) => {
    const entered = values[name] ?? (value.valid ? value.value : undefined);
    return entered === undefined ? [] : [{ name, value: entered }];
  });
}

/** Returns an evaluated parameter as its field shows it. */
export function fieldOf(parameter: EvaluatedParameter): TemplateVersionParameter {
  const [validation] = parameter.validations;
  const { display_name: displayName, description } = parameter;
  return {
    name: parameter.name,
    ...(displayName === "" ? {} : { display_name: displayName }),
    description,
    description_plaintext: description,
    type: parameter.type,
    form_type: parameter.form_type,
    mutable: parameter.mutable,
    default_value: parameter.default_value.value,
    icon: parameter.icon,
    options: parameter.options.map((option) => ({ ...option, value: option.value.value })),
    ...(validation?.validation_min == null ? {} : { validation_min: validation.validation_min }),
    ...(validation?.validation_max == null ? {} : { validation_max: validation.validation_max }),
    required: parameter.required,
    ephemeral: parameter.ephemeral,
  };
}
