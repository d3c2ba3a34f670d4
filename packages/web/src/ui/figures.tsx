import type { ReactNode } from "react";

import { classNames } from "./class-names.ts";

interface Figure {
  readonly label: string;
  readonly value: ReactNode;
  /** A remark below the value. */
  readonly detail?: ReactNode;
}

/** A few numbers at a glance. */
export function Figures({
  label,
  figures,
}: {
  readonly label: string;
  readonly figures: readonly Figure[];
}): ReactNode {
  return (
    <dl
      aria-label={label}
      className={classNames(
        "grid grid-cols-[repeat(auto-fit,minmax(6.5rem,1fr))] overflow-hidden rounded-lg border border-line bg-surface",
        // Three columns would leave the fourth figure alone in its row.
        figures.length === 4 && "max-sm:grid-cols-2",
      )}
    >
      {figures.map((figure) => (
        <div key={figure.label} className="-mr-px -mb-px border-r border-b border-line px-4 py-3">
          <dt className="text-xs text-ink-soft">{figure.label}</dt>
          <dd className="text-xl font-semibold whitespace-nowrap tabular-nums sm:text-2xl">
            {figure.value}
          </dd>
          {figure.detail !== undefined && (
            <dd className="text-xs text-ink-soft tabular-nums">{figure.detail}</dd>
          )}
        </div>
      ))}
    </dl>
  );
}
