import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import type { TemplateVersionParameter } from "@slipway/api/templates/template-version";
import type { ReactNode } from "react";

import { CheckGroup, type Choice, RadioGroup, TagInput } from "../../ui/choices.tsx";
import { Checkbox, Field, Select, TextArea, TextInput } from "../../ui/field.tsx";
import { untrusted, untrustedLines, UntrustedText } from "../../ui/untrusted-text.tsx";
import { encodeListValue, readListValue } from "./list-value.ts";

interface ParameterFieldProps {
  readonly parameter: TemplateVersionParameter;
  /** The appearance that the template chooses for the field (default: that of its form type). */
  readonly styling?: EvaluatedParameter["styling"] | undefined;
  readonly value: string;
  readonly onValue: (value: string) => void;
  /** The reason for which the server refuses the value. */
  readonly error: string | undefined;
}

/** The field of one parameter of a template, as its form type wants it. */
export function ParameterField(props: ParameterFieldProps): ReactNode {
  const { parameter, styling = {}, value, onValue, error } = props;
  const isDisabled = styling.disabled === true;
  const texts = { ...textsOf(parameter, isDisabled), error, isDisabled };
  const list = readListValue(value);
  const setList = (values: readonly string[]): void => onValue(encodeListValue(values));
  switch (parameter.form_type) {
    case "checkbox":
    case "switch":
      return styling.label === undefined ? (
        <FlagField {...props} />
      ) : (
        <CheckGroup
          {...texts}
          choices={[{ value: "true", label: <UntrustedText>{styling.label}</UntrustedText> }]}
          values={[value]}
          onValues={(values) => onValue(String(values.includes("true")))}
        />
      );
    case "radio":
      return (
        <RadioGroup {...texts} choices={choicesOf(parameter)} value={value} onValue={onValue} />
      );
    case "multi-select":
      return (
        <CheckGroup {...texts} choices={choicesOf(parameter)} values={list} onValues={setList} />
      );
    case "tag-select":
      return (
        <TagInput
          {...texts}
          placeholder={placeholderOf(styling)}
          values={list}
          onValues={setList}
        />
      );
    default:
      return <SingleField {...props} />;
  }
}

function textsOf(
  {
    name,
    display_name: displayName,
    description,
    required,
    form_type: form,
  }: TemplateVersionParameter,
  isDisabled: boolean,
): {
  readonly label: string;
  readonly isRequired: boolean;
  readonly hint?: ReactNode;
} {
  const hint = [untrustedLines(description), isDisabled ? "The template sets this value." : ""]
    .filter((text) => text !== "")
    .join("\n");
  return {
    label: untrusted(displayName ?? name),
    // Some controls always have a value.
    isRequired: required || ["radio", "dropdown", "slider"].includes(form),
    ...(hint === "" ? {} : { hint: <span className="whitespace-pre-line">{hint}</span> }),
  };
}

function placeholderOf({ placeholder }: EvaluatedParameter["styling"]): string | undefined {
  return placeholder === undefined ? undefined : untrusted(placeholder);
}

function choicesOf({ options }: TemplateVersionParameter): readonly Choice[] {
  return options.map(({ name, value, description }) => ({
    value,
    label: <UntrustedText>{name}</UntrustedText>,
    ...(description === "" ? {} : { hint: <UntrustedText>{description}</UntrustedText> }),
  }));
}

function FlagField({
  parameter,
  styling: { disabled = false } = {},
  value,
  onValue,
  error,
}: ParameterFieldProps): ReactNode {
  const { label, hint } = textsOf(parameter, disabled);
  return (
    <div>
      <Checkbox
        label={label}
        hint={hint}
        isChecked={value === "true"}
        isDisabled={disabled}
        onChecked={(isChecked) => onValue(String(isChecked))}
      />
      {error !== undefined && <p className="text-sm text-bad wrap-anywhere">{error}</p>}
    </div>
  );
}

/** A field with one control: a text, a number, or a choice from a list. */
function SingleField({
  parameter,
  styling = {},
  value,
  onValue,
  error,
}: ParameterFieldProps): ReactNode {
  const { disabled = false, mask_input: isMasked = false } = styling;
  const { type, form_type: form, options, validation_min: min, validation_max: max } = parameter;
  return (
    <Field {...textsOf(parameter, disabled)} error={error}>
      {(field) => {
        const attributes = { ...field, disabled, placeholder: placeholderOf(styling) };
        if (form === "dropdown") {
          return (
            <Select {...field} disabled={disabled} value={value} onValue={onValue}>
              {!options.some((option) => option.value === value) && (
                <option value={value}>{attributes.placeholder ?? "Choose…"}</option>
              )}
              {options.map((option) => (
                <option key={option.value} value={option.value}>
                  {untrusted(option.name)}
                </option>
              ))}
            </Select>
          );
        }
        if (form === "textarea") {
          return (
            <TextArea
              {...attributes}
              isMasked={isMasked}
              rows={4}
              value={value}
              onValue={onValue}
            />
          );
        }
        if (form === "slider") {
          return (
            <div className="flex items-center gap-3">
              <input
                {...attributes}
                type="range"
                min={min ?? 0}
                max={max ?? 100}
                value={value}
                onChange={(event) => onValue(event.target.value)}
                className="h-8 min-w-0 flex-1 accent-accent"
              />
              <output className="w-16 text-right tabular-nums">{untrusted(value)}</output>
            </div>
          );
        }
        return (
          <TextInput
            {...attributes}
            type={isMasked ? "password" : type === "number" ? "number" : "text"}
            autoComplete={isMasked ? "new-password" : undefined}
            min={min}
            max={max}
            value={value}
            onValue={onValue}
          />
        );
      }}
    </Field>
  );
}
