import type { ReactNode } from "react";

import { classNames } from "./class-names.ts";

/** The meaning of a color. */
export type Tone = "neutral" | "good" | "warn" | "bad" | "active";

const dots: Readonly<Record<Tone, string>> = {
  neutral: "bg-line-strong",
  good: "bg-good",
  warn: "bg-warn",
  bad: "bg-bad",
  active: "bg-accent animate-pulse",
};

/** A state as a colored dot and a word; color alone says nothing. */
export function Status({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <span aria-hidden className={classNames("size-2 shrink-0 rounded-full", dots[tone])} />
      {children}
    </span>
  );
}

const badges: Readonly<Record<Tone, string>> = {
  neutral: "bg-sunken text-ink-soft",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  active: "bg-accent-soft text-accent",
};

/** A short label on a tinted ground. */
export function Badge({
  tone = "neutral",
  children,
  title,
}: {
  readonly tone?: Tone;
  readonly children: ReactNode;
  readonly title?: string;
}): ReactNode {
  return (
    <span
      title={title}
      className={classNames(
        "inline-flex items-center gap-1 rounded-sm px-1.5 text-xs leading-5 font-medium sm:whitespace-nowrap",
        badges[tone],
      )}
    >
      {children}
    </span>
  );
}
