import {
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";

import { classNames } from "./class-names.ts";

const control =
  "w-full rounded-md border border-line-strong bg-surface px-2.5 text-base text-ink placeholder:text-ink-faint aria-invalid:border-bad disabled:opacity-60 pointer-coarse:min-h-10 pointer-coarse:text-lg";

interface FieldProps {
  readonly label: string;
  /** An explanation of what to enter, below the label. */
  readonly hint?: ReactNode;
  /** The reason for which the value is refused. */
  readonly error?: string | undefined;
  /** An explanation of the present value, below the control. */
  readonly valueHint?: ReactNode;
  readonly isRequired?: boolean;
  readonly children: (ids: FieldIds) => ReactNode;
}

/** The attributes that tie a control to its field. */
interface FieldIds {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
  readonly required: boolean;
}

/** A control with its label, hint and error. */
export function Field({
  label,
  hint,
  error,
  valueHint,
  isRequired = false,
  children,
}: FieldProps): ReactNode {
  const id = useId();
  const described = [
    hint !== undefined && `${id}-hint`,
    valueHint !== undefined && `${id}-value`,
    error !== undefined && `${id}-error`,
  ];
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium wrap-anywhere">
        {label}
        {!isRequired && <span className="font-normal text-ink-faint"> (optional)</span>}
      </label>
      {hint !== undefined && (
        <div id={`${id}-hint`} className="text-sm text-ink-soft wrap-anywhere">
          {hint}
        </div>
      )}
      {children({
        id,
        "aria-describedby": described.filter(Boolean).join(" ") || undefined,
        "aria-invalid": error === undefined ? undefined : true,
        required: isRequired,
      })}
      {valueHint !== undefined && (
        <div id={`${id}-value`} className="text-sm text-ink-soft wrap-anywhere">
          {valueHint}
        </div>
      )}
      {error !== undefined && (
        <p id={`${id}-error`} className="text-sm text-bad wrap-anywhere">
          {error}
        </p>
      )}
    </div>
  );
}

type TextInputProps = Omit<InputHTMLAttributes<HTMLInputElement>, "className" | "onChange"> & {
  readonly onValue?: (value: string) => void;
  readonly ref?: Ref<HTMLInputElement>;
};

export function TextInput({ onValue, ...rest }: TextInputProps): ReactNode {
  return (
    <input
      {...rest}
      onChange={(event) => onValue?.(event.target.value)}
      className={classNames(control, "h-8")}
    />
  );
}

type TextAreaProps = Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "className" | "onChange"> & {
  readonly onValue?: (value: string) => void;
  /** True if the characters are shown as dots, as those of a password are. */
  readonly isMasked?: boolean;
};

export function TextArea({ onValue, isMasked = false, ...rest }: TextAreaProps): ReactNode {
  return (
    <textarea
      {...rest}
      onChange={(event) => onValue?.(event.target.value)}
      className={classNames(
        control,
        "py-1.5 font-mono",
        isMasked && "not-placeholder-shown:[-webkit-text-security:disc]",
      )}
    />
  );
}

type SelectProps = Omit<SelectHTMLAttributes<HTMLSelectElement>, "className" | "onChange"> & {
  readonly onValue?: (value: string) => void;
};

/** The select of the browser, which works with every keyboard, screen and reader. */
export function Select({ onValue, ...rest }: SelectProps): ReactNode {
  return (
    <select
      {...rest}
      onChange={(event) => onValue?.(event.target.value)}
      className={classNames(control, "h-8")}
    />
  );
}

interface CheckboxProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly isChecked: boolean;
  readonly onChecked: (isChecked: boolean) => void;
  readonly isDisabled?: boolean;
}

export function Checkbox({
  label,
  hint,
  isChecked,
  onChecked,
  isDisabled = false,
}: CheckboxProps): ReactNode {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <input
        id={id}
        type="checkbox"
        checked={isChecked}
        disabled={isDisabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChecked(event.target.checked)}
        className="mt-1 size-4 shrink-0 accent-accent"
      />
      <div className="min-w-0 wrap-anywhere">
        <label htmlFor={id} className="text-base">
          {label}
        </label>
        {hint !== undefined && (
          <div id={`${id}-hint`} className="text-sm text-ink-soft">
            {hint}
          </div>
        )}
      </div>
    </div>
  );
}
