import type { Preset } from "@slipway/api/templates/template-version";

import { valueText } from "./list-value.ts";
import { maskedText } from "./parameter-value.tsx";
import type { Mask } from "./version-parameters.ts";

/** Returns the name of a preset that people see. */
export function presetTitle({ DisplayName, Name }: Preset): string {
  return DisplayName ?? Name;
}

/** Returns the values of a preset in one line; nothing until it is known which are masked. */
export function presetText({ Parameters: values }: Preset, mask: Mask | undefined): string {
  if (mask === undefined) return "";
  return values
    .map(({ Name, Value }) => `${Name}: ${mask(Name) ? maskedText : valueText(Value)}`)
    .join(", ");
}
