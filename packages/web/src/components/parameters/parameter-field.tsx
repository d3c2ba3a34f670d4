import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import { type ReactNode, useMemo } from "react";

import { CheckGroup, type Choice, RadioGroup, TagInput } from "../../ui/choices.tsx";
import { Checkbox, Field, Select, TextArea, TextInput } from "../../ui/field.tsx";
import { Markdown, MarkdownBudget, MarkdownLine } from "../../ui/markdown.tsx";
import { Revealable } from "../../ui/revealable.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { encodeListValue, readListValue } from "./list-value.ts";

interface ParameterFieldProps {
  readonly parameter: EvaluatedParameter;
  readonly value: string;
  readonly onValue: (value: string) => void;
  /** The reason for which the server refuses the value. */
  readonly error: string | undefined;
  /** A sentence to add to the description. */
  readonly remark?: string;
}

/** Bounds the time for the texts of all parameters of a page. */
export function ParameterTexts({ parameters, children }: ParameterTextsProps): ReactNode {
  const texts = useMemo(
    () =>
      parameters.flatMap(({ description, options }) => [
        description,
        ...options.map((option) => option.description),
      ]),
    [parameters],
  );
  return <MarkdownBudget texts={texts}>{children}</MarkdownBudget>;
}

interface ParameterTextsProps {
  readonly parameters: readonly EvaluatedParameter[];
  readonly children: ReactNode;
}

/** The field of one parameter of a template, as its form type and its styling want it. */
export function ParameterField(props: ParameterFieldProps): ReactNode {
  const { parameter, value, onValue, error, remark } = props;
  const { styling } = parameter;
  const texts = { ...textsOf(parameter, remark), error, isDisabled: styling.disabled === true };
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

/** Returns the title of a parameter, as text of the page. */
export function parameterTitle({
  name,
  display_name: displayName,
}: Pick<EvaluatedParameter, "name" | "display_name">): string {
  return untrusted(displayName === "" ? name : displayName);
}

function textsOf(
  parameter: EvaluatedParameter,
  remark = "",
): {
  readonly label: string;
  readonly isRequired: boolean;
  readonly hint?: ReactNode;
} {
  const { description, required, form_type: form, styling } = parameter;
  const isDisabled = styling.disabled === true;
  const note = isDisabled ? "The template sets this value." : remark;
  return {
    label: parameterTitle(parameter),
    // Some controls always have a value.
    isRequired: required || ["radio", "dropdown", "slider"].includes(form),
    ...((description !== "" || note !== "") && {
      hint: (
        <>
          {description !== "" && <Markdown>{description}</Markdown>}
          {note !== "" && <p>{note}</p>}
        </>
      ),
    }),
  };
}

function placeholderOf({ placeholder }: EvaluatedParameter["styling"]): string | undefined {
  return placeholder === undefined ? undefined : untrusted(placeholder);
}

function choicesOf({ options }: EvaluatedParameter): readonly Choice[] {
  return options.map(({ name, value: { value }, description }) => ({
    value,
    label: <UntrustedText>{name}</UntrustedText>,
    ...(description === "" ? {} : { hint: <MarkdownLine>{description}</MarkdownLine> }),
  }));
}

function FlagField({ parameter, value, onValue, error, remark }: ParameterFieldProps): ReactNode {
  const { label, hint } = textsOf(parameter, remark);
  return (
    <div>
      <Checkbox
        label={label}
        hint={hint}
        isChecked={value === "true"}
        isDisabled={parameter.styling.disabled === true}
        onChecked={(isChecked) => onValue(String(isChecked))}
      />
      {error !== undefined && <p className="text-sm text-bad wrap-anywhere">{error}</p>}
    </div>
  );
}

/** A field with one control: a text, a number, or a choice from a list. */
function SingleField({ parameter, value, onValue, error, remark }: ParameterFieldProps): ReactNode {
  const { form_type: form, options, styling, validations } = parameter;
  const { disabled = false } = styling;
  const placeholder = placeholderOf(styling);
  const min = validations[0]?.validation_min ?? undefined;
  const max = validations[0]?.validation_max ?? undefined;
  const texts = textsOf(parameter, remark);
  const chosen = choicesOf(parameter).find((choice) => choice.value === value);
  return (
    <Field {...texts} error={error} valueHint={chosen?.hint}>
      {(field) => {
        const attributes = { ...field, disabled, placeholder };
        if (form === "dropdown") {
          return (
            <Select {...field} disabled={disabled} value={value} onValue={onValue}>
              {!options.some((option) => option.value.value === value) && (
                <option value={value}>{placeholder ?? "Choose…"}</option>
              )}
              {options.map((option) => (
                <option key={option.value.value} value={option.value.value}>
                  {untrusted(option.name)}
                </option>
              ))}
            </Select>
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
        const control = (isHidden: boolean): ReactNode =>
          form === "textarea" ? (
            <TextArea
              {...attributes}
              isMasked={isHidden}
              rows={4}
              value={value}
              onValue={onValue}
            />
          ) : (
            <TextInput
              {...attributes}
              type={isHidden ? "password" : parameter.type === "number" ? "number" : "text"}
              autoComplete={styling.mask_input === true ? "new-password" : undefined}
              min={min}
              max={max}
              value={value}
              onValue={onValue}
            />
          );
        if (styling.mask_input !== true) return control(false);
        return <Revealable of={texts.label}>{control}</Revealable>;
      }}
    </Field>
  );
}
