import type { ReactNode } from "react";

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
export function EvaluationStatus({ isLate }: Pick<Evaluation, "isLate">): ReactNode {
  return <span role="status">{isLate && "Updating the parameters…"}</span>;
}
