import { ArrowDownToLine, Download } from "lucide-react";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";

import { Button, IconButton } from "../../ui/button.tsx";
import { classNames } from "../../ui/class-names.ts";
import { duration } from "../../ui/time-text.ts";
import { UntrustedText, untrustedLines } from "../../ui/untrusted-text.tsx";
import { FailureNotice } from "../page-failure.tsx";
import { type LogRow, logText } from "./log-row.ts";

interface LogViewProps {
  readonly label: string;
  readonly rows: readonly LogRow[];
  /** The reason for which the log cannot be read; undefined if it can. */
  readonly error: unknown;
  /** The text in place of lines while there are none. */
  readonly empty: string;
  /** The name of the file that is downloaded. */
  readonly fileName: string;
  /** Controls before those of the log. */
  readonly actions?: ReactNode;
}

/** The number of rows that are shown at first: a page with more becomes slow. */
const shownRows = 2_000;
/** The distance from the end, in pixels, within which a reader is at the end. */
const endDistance = 24;

/** A log that stays at its end until its reader scrolls back. */
export function LogView({ label, rows, error, empty, fileName, actions }: LogViewProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? rows : rows.slice(-shownRows);
  const toEnd = (): void => {
    place.current?.scrollTo({ top: place.current.scrollHeight });
  };
  useLayoutEffect(() => {
    if (isFollowing) toEnd();
  }, [isFollowing, rows]);
  const onScroll = (): void => {
    if (place.current === null) return;
    const { scrollHeight, scrollTop, clientHeight } = place.current;
    setFollowing(scrollHeight - scrollTop - clientHeight < endDistance);
  };
  if (error !== undefined) {
    return (
      <div className="p-4">
        <FailureNotice error={error} />
      </div>
    );
  }
  return (
    <div className="min-w-0">
      <div className="flex min-h-10 flex-wrap items-center justify-end gap-1 border-b border-line px-2 py-1">
        <div className="mr-auto flex flex-wrap items-center gap-1">{actions}</div>
        {!isFollowing && (
          <Button
            size="small"
            icon={<ArrowDownToLine aria-hidden size={14} />}
            onClick={() => setFollowing(true)}
          >
            Follow
          </Button>
        )}
        <IconButton
          size="small"
          label="Download log"
          icon={<Download aria-hidden size={14} />}
          onClick={() => downloadText(fileName, logText(rows))}
        />
      </div>
      <div
        ref={place}
        role="log"
        aria-label={label}
        aria-live="off"
        tabIndex={0}
        onScroll={onScroll}
        className="max-h-96 overflow-auto bg-sunken py-2 font-mono text-xs leading-5"
      >
        {rows.length > shown.length && (
          <div className="px-4 py-1">
            <Button size="small" onClick={() => setWhole(true)}>
              Show {rows.length - shown.length} earlier lines
            </Button>
          </div>
        )}
        {rows.length === 0 && <p className="px-4 text-ink-soft">{empty}</p>}
        {shown.map((row) => (
          <LogRowView key={row.id} row={row} />
        ))}
      </div>
    </div>
  );
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function LogRowView({ row }: { readonly row: LogRow }): ReactNode {
  if (row.kind === "stage") {
    return (
      <div className="mt-2 flex justify-between gap-4 px-4 font-semibold text-ink first:mt-0">
        <UntrustedText>{row.name}</UntrustedText>
        {row.tookMs !== undefined && (
          <span className="font-normal text-ink-soft tabular-nums">{duration(row.tookMs)}</span>
        )}
      </div>
    );
  }
  return (
    <div
      className={classNames(
        "flex gap-3 px-4",
        row.level === "error" && "bg-bad-soft text-bad",
        row.level === "warn" && "bg-warn-soft text-warn",
      )}
    >
      <span className="hidden shrink-0 text-ink-soft tabular-nums select-none sm:inline">
        {clock.format(new Date(row.at))}
      </span>
      {row.source !== undefined && (
        <span className="w-28 shrink-0 truncate text-ink-soft select-none">
          <UntrustedText>{row.source}</UntrustedText>
        </span>
      )}
      {(row.level === "error" || row.level === "warn") && (
        <span className="sr-only">{row.level}:</span>
      )}
      <bdi className="min-w-0 flex-1 whitespace-pre-wrap wrap-anywhere">
        {untrustedLines(row.text)}
      </bdi>
    </div>
  );
}

/** Saves a text as a file of the browser's user. */
function downloadText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
