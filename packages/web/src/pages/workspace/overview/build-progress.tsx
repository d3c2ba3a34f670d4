import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { maxCountedJobs } from "@slipway/api/jobs/job";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { ActionDialog } from "../../../components/workspaces/action-dialog.tsx";
import type { WorkspaceAction } from "../../../components/workspaces/action-refusal.ts";
import { buildStatusText } from "../../../components/workspaces/workspace-status.ts";
import { Button, buttonClasses } from "../../../ui/button.tsx";
import { Panel } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Status } from "../../../ui/status.tsx";
import { duration } from "../../../ui/time-text.ts";
import { useNow } from "../../../ui/time.tsx";
import { untrusted } from "../../../ui/untrusted-text.tsx";
import { BuildLog } from "../builds/build-log.tsx";
import { useWorkspaceParams, useWorkspaceQuery } from "../use-workspace.tsx";

interface BuildProgressProps {
  readonly build: WorkspaceBuild;
  readonly workspace: Workspace;
}

/** The newest build while it runs, and what to do next if it did not succeed. */
export function BuildProgress({ build, workspace }: BuildProgressProps): ReactNode {
  const { text, tone } = buildStatusText(build.status);
  return (
    <Panel
      isFlush
      title={
        <span className="inline-flex items-center gap-3">
          Build {build.build_number}
          <span className="text-sm font-normal">
            <Status tone={tone}>{text}</Status>
          </span>
        </span>
      }
      actions={<Elapsed build={build} />}
    >
      {build.status === "pending" && <Queue build={build} />}
      {(build.status === "failed" || build.status === "canceled") && (
        <div className="border-b border-line p-4">
          <NextSteps build={build} workspace={workspace} />
        </div>
      )}
      <BuildLog build={build} />
    </Panel>
  );
}

function Elapsed({ build: { job } }: { readonly build: WorkspaceBuild }): ReactNode {
  const now = useNow(1_000);
  const startMs = Date.parse(job.started_at ?? job.created_at);
  const endMs = job.completed_at === undefined ? now.getTime() : Date.parse(job.completed_at);
  return <span className="text-sm text-ink-soft tabular-nums">{duration(endMs - startMs)}</span>;
}

/** The time between reads of the place in the queue, of which no message tells. */
const queueMs = 5_000;

function Queue({ build }: { readonly build: WorkspaceBuild }): ReactNode {
  useQuery({ ...useWorkspaceQuery(), refetchInterval: queueMs });
  return <p className="border-b border-line px-4 py-3 text-sm text-ink-soft">{queueText(build)}</p>;
}

function queueText({ matched_provisioners: matched, job }: WorkspaceBuild): string {
  if (matched?.available === 0)
    return "No worker can run this build right now. Ask an administrator to start one.";
  const before = job.queue_position - 1;
  if (before < 1) return "This build starts as soon as a worker is free.";
  if (before === 1) return "This build starts after another one that waits for a worker.";
  const number = before < maxCountedJobs ? String(before) : `at least ${String(maxCountedJobs)}`;
  return `This build starts after ${number} others that wait for a worker.`;
}

function NextSteps({ build, workspace }: BuildProgressProps): ReactNode {
  const [asked, setAsked] = useState<WorkspaceAction>();
  const params = useWorkspaceParams();
  const { status, job, transition } = build;
  const retry: WorkspaceAction = transition;
  return (
    <>
      <Notice
        tone={status === "failed" ? "bad" : "warn"}
        title={
          status === "failed"
            ? untrusted(job.error ?? "The build failed without a reason.")
            : `The ${transition} was canceled.`
        }
      >
        <p>
          {transition === "start"
            ? "Read its log below. Try again if the problem was temporary, or change its parameters or version."
            : "Read its log below, then try again."}
        </p>
        <div className="mt-3 flex flex-wrap gap-2">
          <Button size="small" onClick={() => setAsked(retry)}>
            Try again
          </Button>
          {transition === "start" && (
            <Link
              to="/@{$owner}/$workspace/settings"
              params={params}
              hash="parameters"
              className={buttonClasses("secondary", "small")}
            >
              Edit parameters
            </Link>
          )}
          {workspace.outdated && (
            <Button size="small" onClick={() => setAsked("update")}>
              Update to the active version
            </Button>
          )}
        </div>
      </Notice>
      {asked !== undefined && (
        <ActionDialog action={asked} workspace={workspace} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}
