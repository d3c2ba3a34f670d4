import type { ReactNode } from "react";

import { Chip, ChipSelect } from "../../ui/chip.tsx";
import { termValue, withTerm } from "./search-terms.ts";

/* Filters beside a search. Each shows one of its terms and changes it, so that the text of the search says it all. */

export interface TermFilterProps {
  readonly label: string;
  /** The key of the term. */
  readonly term: string;
  readonly search: string;
  readonly onSearch: (search: string) => void;
}

interface TermChipProps extends TermFilterProps {
  /** The value of the term while the filter is on. */
  readonly value: string;
}

export function TermChip({ label, term, value, search, onSearch }: TermChipProps): ReactNode {
  return (
    <Chip
      isOn={termValue(search, term) === value}
      onToggle={(isOn) => onSearch(withTerm(search, term, isOn ? value : undefined))}
    >
      {label}
    </Chip>
  );
}

interface TermSelectProps extends TermFilterProps {
  readonly choices: readonly (readonly [value: string, text: string])[];
}

export function TermSelect({ label, term, search, onSearch, choices }: TermSelectProps): ReactNode {
  return (
    <ChipSelect
      label={label}
      value={termValue(search, term) ?? ""}
      choices={choices}
      onValue={(value) => onSearch(withTerm(search, term, value === "" ? undefined : value))}
    />
  );
}
