import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { classNames } from "./class-names.ts";

type NoticeTone = "info" | "good" | "warn" | "bad";

const tones: Readonly<Record<NoticeTone, string>> = {
  info: "bg-accent-soft text-accent",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
};

const icons = { info: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleAlert } as const;

interface NoticeProps {
  readonly tone: NoticeTone;
  readonly title: ReactNode;
  /** The details, and what to do next. */
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** A message where the thing happened that it is about. A bad one is announced. */
export function Notice({ tone, title, children, action }: NoticeProps): ReactNode {
  const Icon = icons[tone];
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      className={classNames("flex items-start gap-3 rounded-lg px-4 py-3", tones[tone])}
    >
      <Icon aria-hidden size={18} className="mt-0.5 shrink-0" />
      <div className="min-w-0 flex-1">
        <p className="font-medium wrap-anywhere">{title}</p>
        {children !== undefined && (
          <div className="text-sm text-ink-soft wrap-anywhere">{children}</div>
        )}
      </div>
      {action}
    </div>
  );
}
