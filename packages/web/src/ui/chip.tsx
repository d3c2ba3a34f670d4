import type { ReactNode } from "react";

import { classNames } from "./class-names.ts";

const chip =
  "inline-flex h-7 items-center gap-1.5 rounded-full border px-3 text-sm whitespace-nowrap transition-colors pointer-coarse:h-10";
const off = "border-line bg-surface text-ink-soft hover:bg-hover";
const on = "border-transparent bg-accent-soft text-accent font-medium";

/** The classes of a filter that is on or off. */
export function chipClasses(isOn: boolean): string {
  return classNames(chip, isOn ? on : off);
}

interface ChipProps {
  readonly isOn: boolean;
  readonly onToggle: (isOn: boolean) => void;
  readonly children: ReactNode;
}

/** A filter that is on or off. */
export function Chip({ isOn, onToggle, children }: ChipProps): ReactNode {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      onClick={() => onToggle(!isOn)}
      className={chipClasses(isOn)}
    >
      {children}
    </button>
  );
}

interface ChipSelectProps {
  readonly label: string;
  /** The chosen value; empty for none. */
  readonly value: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly onValue: (value: string) => void;
}

/** A filter of several values, with the select of the browser. */
export function ChipSelect({ label, value, choices, onValue }: ChipSelectProps): ReactNode {
  const isKnown = value === "" || choices.some(([one]) => one === value);
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onValue(event.target.value)}
      className={classNames(chipClasses(value !== ""), "max-w-52 pr-1 max-sm:max-w-36")}
    >
      <option value="">{label}</option>
      {!isKnown && <option value={value}>{value}</option>}
      {choices.map(([one, text]) => (
        <option key={one} value={one}>
          {text}
        </option>
      ))}
    </select>
  );
}
