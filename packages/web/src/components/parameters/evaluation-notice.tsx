import type { ReactNode } from "react";

import { Notice } from "../../ui/notice.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import type { Evaluation } from "./use-evaluation.ts";

/** Says what is wrong with the evaluation of a form, and calmly that it goes on. */
export function EvaluationNotice({
  evaluation: { diagnostics, isLate, parameters },
}: {
  readonly evaluation: Evaluation;
}): ReactNode {
  const told = diagnostics.filter(({ extra }) => extra.code !== "unknown_parameter");
  return (
    <>
      {told.map(({ severity, summary, detail, extra }) => (
        <Notice
          key={extra.code}
          tone={severity === "error" ? "bad" : "warn"}
          title={untrusted(summary)}
        >
          {untrusted(detail)}
        </Notice>
      ))}
      <p role="status" className="min-h-5 text-sm text-ink-soft">
        {isLate && parameters !== undefined && "Updating the parameters…"}
      </p>
    </>
  );
}
