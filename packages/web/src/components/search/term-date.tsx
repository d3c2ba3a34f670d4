import type { ReactNode } from "react";

import { chipClasses } from "../../ui/chip.tsx";
import { termValue, withTerm } from "./search-terms.ts";
import type { TermFilterProps } from "./term-filters.tsx";

/** A filter by a day, such as 2026-01-31. */
export function TermDate({ label, term, search, onSearch }: TermFilterProps): ReactNode {
  const value = termValue(search, term) ?? "";
  const setValue = (next: string): void =>
    onSearch(withTerm(search, term, next === "" ? undefined : next));
  return (
    <label className={chipClasses(value !== "")}>
      {label}
      <input
        type="date"
        value={value}
        onChange={(event) => setValue(event.target.value)}
        className="bg-transparent"
      />
    </label>
  );
}
