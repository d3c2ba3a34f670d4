import type { ReactNode } from "react";

import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import type { Evaluation } from "./use-evaluation.ts";

/** Shows the problems with the evaluation of a form. */
export function EvaluationNotice({
  evaluation: { diagnostics },
}: {
  readonly evaluation: Pick<Evaluation, "diagnostics">;
}): ReactNode {
  return diagnostics
    .filter(({ extra }) => extra.code !== "unknown_parameter")
    .map(({ severity, summary, detail, extra }) => (
      <Notice
        key={extra.code}
        tone={severity === "error" ? "bad" : "warn"}
        title={untrusted(summary)}
      >
        {untrusted(detail)}
      </Notice>
    ));
}

/** Shows that an answer is due, in a place where it moves no field. */
export function EvaluationStatus({
  evaluation: { parameters, isLate, isOverdue, isLost },
}: {
  readonly evaluation: Evaluation;
}): ReactNode {
  const isCut = isOverdue && isLost;
  const due = parameters === undefined ? "Loading the parameters…" : "Updating the parameters…";
  const text = isCut ? "No connection to the server. Reconnecting…" : due;
  return <span role="status">{isLate && text}</span>;
}

interface OverdueNoticeProps {
  readonly evaluation: Evaluation;
  /** The verb of the action that waits for the answer. */
  readonly action: string;
  readonly onContinue: () => void;
  readonly onCancel: () => void;
}

/** Offers to continue without an answer that an action waits for too long: the server evaluates the values then too. */
export function OverdueNotice({
  evaluation: { isOverdue, isLost },
  action,
  onContinue,
  onCancel,
}: OverdueNoticeProps): ReactNode {
  if (!isOverdue) return null;
  return (
    <Notice
      tone="warn"
      title={
        isLost
          ? "The connection to the server is lost."
          : "The server is still evaluating the parameters."
      }
      action={
        <div className="flex flex-wrap gap-2">
          <Button onClick={onContinue}>{action}</Button>
          <Button look="ghost" onClick={onCancel}>
            Cancel
          </Button>
        </div>
      }
    >
      This continues by itself once the parameters are up to date. You need not wait: the server
      checks the values in any case.
    </Notice>
  );
}
