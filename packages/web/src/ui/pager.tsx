import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { buttonClasses } from "./button.tsx";

interface PagerProps {
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
  readonly count: number;
  /** True if there are more than `count`. */
  readonly isCapped?: boolean;
  readonly linkTo: (page: number) => LinkProps;
}

/** Leads through the pages of a long list. */
export function Pager({ page, pageSize, count, isCapped = false, linkTo }: PagerProps): ReactNode {
  const first = (page - 1) * pageSize + 1;
  const last = Math.min(page * pageSize, count);
  const pages = Math.ceil(count / pageSize);
  if (count === 0) return null;
  return (
    <nav
      aria-label="Pages"
      className="flex flex-wrap items-center justify-between gap-2 text-sm text-ink-soft"
    >
      <p className="tabular-nums">
        {first > last
          ? `Nothing on page ${page}`
          : `${numbers.format(first)}–${numbers.format(last)}`}{" "}
        of {numbers.format(count)}
        {isCapped && "+"}
      </p>
      <div className="flex gap-2">
        {page > 1 && (
          <Link
            {...linkTo(Math.min(page - 1, pages))}
            className={buttonClasses("secondary", "small")}
          >
            Previous
          </Link>
        )}
        {last < count && (
          <Link {...linkTo(page + 1)} className={buttonClasses("secondary", "small")}>
            Next
          </Link>
        )}
      </div>
    </nav>
  );
}

const numbers = new Intl.NumberFormat("en");
