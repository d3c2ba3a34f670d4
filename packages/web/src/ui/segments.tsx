import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface Segment {
  readonly label: string;
  readonly isCurrent: boolean;
  readonly link: LinkProps;
}

interface SegmentsProps {
  /** The name of the choice for screen readers. */
  readonly label: string;
  readonly segments: readonly Segment[];
}

/** A choice between few views of one list, each with its own address. */
export function Segments({ label, segments }: SegmentsProps): ReactNode {
  return (
    <nav aria-label={label} className="flex">
      <ul className="flex rounded-md border border-line bg-surface p-0.5">
        {segments.map(({ label: text, isCurrent, link }) => (
          <li key={text}>
            <Link
              {...link}
              activeOptions={{ exact: true, includeSearch: true }}
              aria-current={isCurrent ? "true" : undefined}
              className="flex h-7 items-center rounded-sm px-3 text-sm font-medium text-ink-soft hover:text-ink aria-[current]:bg-accent-soft aria-[current]:text-accent pointer-coarse:h-10"
            >
              {text}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
