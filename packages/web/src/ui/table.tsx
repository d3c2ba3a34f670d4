import type { ComponentProps, ReactNode } from "react";

import { classNames } from "./class-names.ts";
import { Skeleton } from "./layout.tsx";

/** A table that scrolls sideways within the page where it is narrow. `label` names it for screen readers. */
export function Table({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div tabIndex={0} role="region" aria-label={label} className="relative overflow-x-auto">
      <table aria-label={label} className="w-full border-collapse text-sm">
        {children}
      </table>
    </div>
  );
}

export function HeaderRow({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <thead>
      <tr className="border-b border-line text-left text-xs text-ink-soft">{children}</tr>
    </thead>
  );
}

export function HeaderCell({ className, ...rest }: ComponentProps<"th">): ReactNode {
  return (
    <th
      scope="col"
      {...rest}
      className={classNames("cell-padding py-2 font-medium whitespace-nowrap", className)}
    />
  );
}

export function Row({ className, ...rest }: ComponentProps<"tr">): ReactNode {
  return (
    <tr
      {...rest}
      className={classNames("border-b border-line last:border-b-0 hover:bg-hover", className)}
    />
  );
}

/** The cell of a row's actions, which stays in view where the table scrolls sideways; what is below it fades out before it. */
export function ActionsCell({ className, ...rest }: ComponentProps<"td">): ReactNode {
  return (
    <Cell
      {...rest}
      className={classNames(
        "fading-edge sticky right-0 bg-surface text-right in-[tr:hover]:bg-hover max-sm:pl-1",
        className,
      )}
    />
  );
}

interface CellProps extends ComponentProps<"td"> {
  /** True for text of any length, which wraps; other cells keep to one line, and narrow tables scroll. */
  readonly isText?: boolean;
  /** True for a name or an address, which wraps only where the table has no room for it. */
  readonly isName?: boolean;
}

export function Cell({ isText = false, isName = false, className, ...rest }: CellProps): ReactNode {
  return (
    <td
      {...rest}
      className={classNames(
        "cell-padding py-2.5 align-middle tabular-nums",
        isName
          ? "min-w-28 wrap-anywhere"
          : isText
            ? "min-w-36 wrap-anywhere sm:min-w-52"
            : "whitespace-nowrap",
        className,
      )}
    />
  );
}

/** The facts without columns on phones, below the text of the first cell, so that nothing lies under the actions. */
export function FoldedFacts({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <div className="mt-1 flex flex-wrap gap-x-3 gap-y-1 font-normal text-ink-soft sm:hidden">
      {children}
    </div>
  );
}

/** Rows in the shape of those that are on their way. */
export function SkeletonRows({
  columns,
  rows = 3,
}: {
  readonly columns: number;
  readonly rows?: number;
}): ReactNode {
  return Array.from({ length: rows }, (_row, row) => (
    <Row key={row}>
      {Array.from({ length: columns }, (_cell, column) => (
        <Cell key={column}>
          <Skeleton className={column === 0 ? "h-4 w-32" : "h-4 w-20"} />
        </Cell>
      ))}
    </Row>
  ));
}
