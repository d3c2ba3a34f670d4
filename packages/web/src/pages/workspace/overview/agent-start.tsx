import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getBuildTimings } from "@slipway/api/builds/routes";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import { routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { Button } from "../../../ui/button.tsx";
import { classNames } from "../../../ui/class-names.ts";
import { Skeleton } from "../../../ui/layout.tsx";
import { Status, type Tone } from "../../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../../ui/table.tsx";
import { duration } from "../../../ui/time-text.ts";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspace } from "../use-workspace.tsx";
import { startTimeline, type TimelineBar } from "./timeline.ts";

/** The start of an agent: its parts in time, and the results of its scripts. */
export function AgentStart({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const { latest_build: build } = useWorkspace();
  const timings = useQuery(routeQuery(getBuildTimings, { params: { build: build.id } }));
  const [showsAll, setShowsAll] = useState(false);
  const { refetch } = timings;
  // Each change of the agent may be the end of one more part.
  useEffect(() => void refetch(), [agent.lifecycle_state, agent.updated_at, refetch]);
  if (timings.isError) {
    return (
      <div className="p-4">
        <FailureNotice error={timings.error} onRetry={() => void refetch()} />
      </div>
    );
  }
  if (timings.data === undefined) return <Skeleton className="m-4 h-32" />;
  const { bars, totalMs, hiddenSteps } = startTimeline(
    timings.data,
    agent.id,
    showsAll ? Infinity : maxShownSteps,
  );
  const isLong = showsAll && bars.filter(({ kind }) => kind === "step").length > maxShownSteps;
  return (
    <>
      <div className="p-4">
        {bars.length === 0 ? (
          <p className="text-sm text-ink-soft">
            Nothing has been measured yet. The steps of the start appear here as they finish.
          </p>
        ) : (
          <Timeline bars={bars} totalMs={totalMs} />
        )}
        {(hiddenSteps > 0 || isLong) && (
          <Button look="ghost" size="small" className="mt-2" onClick={() => setShowsAll(!showsAll)}>
            {isLong ? "Show fewer steps" : `Show ${hiddenSteps} shorter steps`}
          </Button>
        )}
      </div>
      {agent.scripts.length > 0 && <Scripts scripts={agent.scripts} />}
    </>
  );
}

/** The number of steps of a build that are shown at first. */
const maxShownSteps = 10;

interface TimelineProps {
  readonly bars: readonly TimelineBar[];
  readonly totalMs: number;
}

const barColors = {
  build: "bg-line-strong",
  step: "bg-line-strong/60",
  connect: "bg-warn",
  script: "bg-accent",
} as const;

function Timeline({ bars, totalMs }: TimelineProps): ReactNode {
  const share = (ms: number): string => `${String((100 * ms) / Math.max(1, totalMs))}%`;
  return (
    <>
      <p className="mb-3 text-sm text-ink-soft">
        {duration(totalMs)} from the beginning of the build to the end of the last script.
      </p>
      <ol aria-label="Start-up timeline" className="flex flex-col gap-1.5 text-sm">
        {bars.map(({ key, label, kind, startMs, lengthMs, hasFailed }) => (
          <li
            key={key}
            className="grid grid-cols-[minmax(0,1fr)_4.5rem] items-center gap-x-3 sm:grid-cols-[12rem_minmax(0,1fr)_5rem]"
          >
            <span
              className={classNames(
                "flex gap-x-1 max-sm:col-span-2",
                kind === "step" && "pl-4 text-ink-soft",
              )}
              title={untrusted(label)}
            >
              <span className="truncate">
                <UntrustedText>{label}</UntrustedText>
              </span>
              {hasFailed && <span className="text-bad"> failed</span>}
            </span>
            <span aria-hidden className="relative h-3 rounded-sm bg-sunken">
              <span
                className={`absolute inset-y-0 min-w-0.5 rounded-sm ${hasFailed ? "bg-bad" : barColors[kind]}`}
                style={{ left: share(startMs), width: share(lengthMs) }}
              />
            </span>
            <span className="text-right text-ink-soft tabular-nums">{duration(lengthMs)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function Scripts({ scripts }: { readonly scripts: readonly Script[] }): ReactNode {
  return (
    <div className="border-t border-line">
      <Table label="Scripts">
        <HeaderRow>
          <HeaderCell>Script</HeaderCell>
          <HeaderCell className="max-sm:hidden">Runs</HeaderCell>
          <HeaderCell>Last result</HeaderCell>
        </HeaderRow>
        <tbody>
          {scripts.map((script) => {
            const { tone, text } = scriptResult(script);
            return (
              <Row key={script.id}>
                <Cell isText className="max-sm:min-w-0">
                  <UntrustedText>{script.display_name}</UntrustedText>
                </Cell>
                <Cell isText className="text-ink-soft max-sm:hidden">
                  <UntrustedText>{runsOf(script)}</UntrustedText>
                </Cell>
                <Cell isText className="max-sm:min-w-0">
                  <Status tone={tone}>{text}</Status>
                </Cell>
              </Row>
            );
          })}
        </tbody>
      </Table>
    </div>
  );
}

type Script = WorkspaceAgent["scripts"][number];

function runsOf({ run_on_start: isStart, run_on_stop: isStop, cron }: Script): string {
  const parts = [isStart ? "at start" : "", isStop ? "at stop" : "", cron];
  return parts.filter(Boolean).join(", ");
}

function scriptResult({ status, exit_code: code }: Script): {
  readonly tone: Tone;
  readonly text: string;
} {
  switch (status) {
    case undefined:
      return { tone: "neutral", text: "Not run yet" };
    case "ok":
      return { tone: "good", text: "Succeeded" };
    case "exit_failure":
      return { tone: "bad", text: `Failed: exit code ${String(code ?? "?")}` };
    case "timed_out":
      return { tone: "bad", text: "Timed out" };
    case "pipes_left_open":
      return { tone: "warn", text: "Left its output open" };
    default:
      return { tone: "neutral", text: status };
  }
}
