import type { ReactNode } from "react";

import { classNames } from "./class-names.ts";

interface PageHeaderProps {
  readonly title: ReactNode;
  /** One line about the page, or the state of its thing. */
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

/** The heading of a page with its actions. */
export function PageHeader({ title, children, actions }: PageHeaderProps): ReactNode {
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold tracking-tight wrap-anywhere">{title}</h1>
        {children !== undefined && (
          <div className="text-sm text-ink-soft wrap-anywhere">{children}</div>
        )}
      </div>
      {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

interface PanelProps {
  readonly title?: ReactNode;
  /** Controls at the end of the title's line. */
  readonly actions?: ReactNode;
  /** True for content that reaches the border, such as a table. */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

/** A section of a page on its own surface. */
export function Panel({ title, actions, isFlush = false, children }: PanelProps): ReactNode {
  return (
    <section className="overflow-hidden rounded-lg border border-line bg-surface">
      {title !== undefined && (
        <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5">
          <h2 className="text-base font-semibold">{title}</h2>
          {actions}
        </div>
      )}
      <div className={classNames(!isFlush && "p-4")}>{children}</div>
    </section>
  );
}

interface EmptyStateProps {
  readonly icon?: ReactNode;
  readonly title: string;
  /** A description of what would be here, and how to get it. */
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** Says what a place is for while nothing is in it. */
export function EmptyState({ icon, title, children, action }: EmptyStateProps): ReactNode {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-14 text-center">
      {icon !== undefined && (
        <div aria-hidden className="mb-1 rounded-lg bg-sunken p-3 text-ink-faint">
          {icon}
        </div>
      )}
      <p className="text-lg font-medium">{title}</p>
      {children !== undefined && (
        <div className="w-full max-w-md text-balance text-ink-soft">{children}</div>
      )}
      {action !== undefined && <div className="mt-3">{action}</div>}
    </div>
  );
}

/** Names and values in two columns. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
}): ReactNode {
  return (
    <dl className="grid grid-cols-[fit-content(45%)_minmax(0,1fr)] gap-x-6 gap-y-2">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="wrap-anywhere text-ink-soft">{name}</dt>
          <dd className="wrap-anywhere tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A gray bar in place of text that is on its way. */
export function Skeleton({ className = "h-4 w-full" }: { readonly className?: string }): ReactNode {
  return (
    <div aria-hidden className={classNames("animate-pulse rounded-sm bg-sunken", className)} />
  );
}
