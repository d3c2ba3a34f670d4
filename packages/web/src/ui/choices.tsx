import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";

import { Button } from "./button.tsx";
import { classNames } from "./class-names.ts";
import { TextInput } from "./field.tsx";
import { untrusted, UntrustedText } from "./untrusted-text.tsx";

interface GroupProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly isRequired?: boolean;
  readonly isDisabled?: boolean;
  /** True if what stands around the group says what it is for; screen readers still get the label. */
  readonly isLabelHidden?: boolean;
}

/** Several controls that together have one value, with their label, hint and error. */
function Group({
  label,
  hint,
  error,
  isRequired = false,
  isDisabled = false,
  isLabelHidden = false,
  children,
}: GroupProps & { readonly children: ReactNode }): ReactNode {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`];
  return (
    <fieldset
      disabled={isDisabled}
      className="flex min-w-0 flex-col gap-1 disabled:opacity-60"
      aria-describedby={described.filter(Boolean).join(" ") || undefined}
    >
      <legend className={isLabelHidden ? "sr-only" : "mb-1 text-sm font-medium wrap-anywhere"}>
        {label}
        {!isRequired && <span className="font-normal text-ink-faint"> (optional)</span>}
      </legend>
      {hint !== undefined && (
        <div id={`${id}-hint`} className="text-sm text-ink-soft wrap-anywhere">
          {hint}
        </div>
      )}
      {children}
      {error !== undefined && (
        <p id={`${id}-error`} className="text-sm text-bad wrap-anywhere">
          {error}
        </p>
      )}
    </fieldset>
  );
}

/** One of several values to choose from. */
export interface Choice<V extends string = string> {
  readonly value: V;
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly icon?: ReactNode;
}

interface RadioGroupProps<V extends string> extends GroupProps {
  readonly choices: readonly Choice<V>[];
  readonly value: V;
  readonly onValue: (value: V) => void;
}

/** A choice of one value, all of which are in view. */
export function RadioGroup<V extends string>({
  choices,
  value,
  onValue,
  ...group
}: RadioGroupProps<V>): ReactNode {
  const name = useId();
  const isTriple = choices.length === 3;
  return (
    <Group {...group}>
      <div className="@container">
        <div className={classNames("grid gap-2 @md:grid-cols-2", isTriple && "@2xl:grid-cols-3")}>
          {choices.map((choice) => (
            <ChoiceBox
              key={choice.value}
              choice={choice}
              control={
                <input
                  type="radio"
                  name={name}
                  checked={choice.value === value}
                  onChange={() => onValue(choice.value)}
                  className="mt-0.5 size-4 shrink-0 accent-accent"
                />
              }
            />
          ))}
        </div>
      </div>
    </Group>
  );
}

interface CheckGroupProps extends GroupProps {
  readonly choices: readonly Choice[];
  readonly values: readonly string[];
  readonly onValues: (values: readonly string[]) => void;
}

/** A choice of any number of values. */
export function CheckGroup({ choices, values, onValues, ...group }: CheckGroupProps): ReactNode {
  return (
    <Group {...group}>
      <div className="grid gap-2 sm:grid-cols-2">
        {choices.map((choice) => (
          <ChoiceBox
            key={choice.value}
            choice={choice}
            control={
              <input
                type="checkbox"
                checked={values.includes(choice.value)}
                onChange={(event) =>
                  onValues(
                    event.target.checked
                      ? [...values, choice.value]
                      : values.filter((one) => one !== choice.value),
                  )
                }
                className="mt-0.5 size-4 shrink-0 accent-accent"
              />
            }
          />
        ))}
      </div>
    </Group>
  );
}

function ChoiceBox({
  choice,
  control,
}: {
  readonly choice: Choice;
  readonly control: ReactNode;
}): ReactNode {
  return (
    <label className="flex min-w-0 items-start gap-2.5 rounded-md border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft">
      {control}
      <span className="min-w-0 flex-1">
        <span className="block wrap-anywhere">{choice.label}</span>
        {choice.hint !== undefined && (
          <span className="block text-sm text-ink-soft wrap-anywhere">{choice.hint}</span>
        )}
      </span>
      {choice.icon !== undefined && (
        <span aria-hidden className="mt-0.5 text-ink-soft">
          {choice.icon}
        </span>
      )}
    </label>
  );
}

interface TagInputProps extends GroupProps {
  readonly placeholder?: string | undefined;
  readonly values: readonly string[];
  readonly onValues: (values: readonly string[]) => void;
}

/** A list of texts that are entered one by one. */
export function TagInput({ values, onValues, placeholder, ...group }: TagInputProps): ReactNode {
  const [text, setText] = useState("");
  const add = (): void => {
    const value = text.trim();
    if (value !== "" && !values.includes(value)) onValues([...values, value]);
    setText("");
  };
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // A text that was typed and not added yet is sent with the others: the form's own handler, which comes next, sees it.
    const addNow = (): void => flushSync(add);
    const form = input.current?.form;
    form?.addEventListener("submit", addNow, { capture: true });
    return () => form?.removeEventListener("submit", addNow, { capture: true });
  });
  return (
    <Group {...group}>
      {values.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {values.map((value) => (
            <li key={value} className="max-w-full">
              <Button
                size="small"
                aria-label={`Remove ${untrusted(value)}`}
                title={untrusted(value)}
                className="max-w-full"
                onClick={() => onValues(values.filter((one) => one !== value))}
              >
                <span className="truncate">
                  <UntrustedText>{value}</UntrustedText>
                </span>
                <X aria-hidden size={12} className="shrink-0" />
              </Button>
            </li>
          ))}
        </ul>
      )}
      <div className="flex gap-2">
        <TextInput
          ref={input}
          aria-label={`Add to ${group.label}`}
          placeholder={placeholder}
          value={text}
          onValue={setText}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            add();
          }}
        />
        <Button onClick={add}>Add</Button>
      </div>
    </Group>
  );
}
