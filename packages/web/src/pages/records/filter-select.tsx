import type { ReactNode } from "react";

import { Select } from "../../ui/field.tsx";
import { wordsOf } from "./audit-text.ts";

interface FilterSelectProps {
  readonly label: string;
  readonly all: string;
  readonly value: string | undefined;
  readonly values: readonly string[];
  readonly onValue: (value: string) => void;
}

/** A filter by one of a few values, or none. */
export function FilterSelect({ label, all, value, values, onValue }: FilterSelectProps): ReactNode {
  return (
    <div className="w-40">
      <Select aria-label={label} value={value ?? ""} onValue={onValue}>
        <option value="">{all}</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {wordsOf(one)}
          </option>
        ))}
      </Select>
    </div>
  );
}
