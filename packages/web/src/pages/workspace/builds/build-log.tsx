import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { getBuildLogs } from "@slipway/api/builds/routes";
import type { JobLog } from "@slipway/api/jobs/job";
import { type ReactNode, useMemo } from "react";

import { jobLogRows } from "../../../components/logs/log-row.ts";
import { LogView } from "../../../components/logs/log-view.tsx";
import { useLog } from "../../../components/logs/use-log.ts";

/** The log of a build, as it is written. */
export function BuildLog({ build }: { readonly build: WorkspaceBuild }): ReactNode {
  const { id, build_number: number, workspace_name: name, job } = build;
  const isComplete = job.completed_at !== undefined;
  const log = useLog<JobLog, typeof getBuildLogs>(getBuildLogs, { build: id }, isComplete);
  const rows = useMemo(
    () => jobLogRows(log.entries, job.completed_at),
    [log.entries, job.completed_at],
  );
  return (
    <LogView
      label={`Log of build ${String(number)}`}
      rows={rows}
      error={log.error}
      empty={log.state === "over" ? "This build has no log." : "Nothing has been written yet."}
      fileName={`${name}-build-${String(number)}.log`}
      actions={
        job.logs_overflowed ? (
          <span className="px-2 text-xs text-warn">
            The log was truncated because it became too long.
          </span>
        ) : undefined
      }
    />
  );
}
