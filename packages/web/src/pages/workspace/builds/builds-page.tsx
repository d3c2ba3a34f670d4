import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { listBuilds } from "@slipway/api/workspaces/build-routes";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";

import { routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { Panel, Skeleton } from "../../../ui/layout.tsx";
import { Status } from "../../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../../ui/table.tsx";
import { duration } from "../../../ui/time-text.ts";
import { Time } from "../../../ui/time.tsx";
import { UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspace, useWorkspaceParams } from "../use-workspace.tsx";
import { buildOutcome, buildTitle, reasonText } from "./build-text.ts";

/** All builds of a workspace, the newest first. */
export function BuildsPage(): ReactNode {
  const { id, latest_build: latest } = useWorkspace();
  const builds = useQuery(routeQuery(listBuilds, { params: { workspace: id } }));
  const { refetch } = builds;
  useEffect(() => void refetch(), [latest.id, latest.status, refetch]);
  const failure = builds.isError && (
    <FailureNotice error={builds.error} onRetry={() => void refetch()} />
  );
  if (builds.isLoadingError) return failure;
  return (
    <>
      {failure}
      <Panel isFlush>
        <Table label="Builds">
          <HeaderRow>
            <HeaderCell>Build</HeaderCell>
            <HeaderCell>Status</HeaderCell>
            <HeaderCell>Started by</HeaderCell>
            <HeaderCell>Version</HeaderCell>
            <HeaderCell>Took</HeaderCell>
            <HeaderCell>When</HeaderCell>
          </HeaderRow>
          <tbody>
            {builds.data?.map((build) => <BuildRow key={build.id} build={build} />) ??
              ["a", "b", "c"].map((key) => <SkeletonRow key={key} />)}
          </tbody>
        </Table>
      </Panel>
    </>
  );
}

function BuildRow({ build }: { readonly build: WorkspaceBuild }): ReactNode {
  const params = useWorkspaceParams();
  const { tone, text } = buildOutcome(build);
  const { started_at: startedAt, completed_at: endedAt } = build.job;
  return (
    <Row>
      <Cell>
        <Link
          to="/@{$owner}/$workspace/builds/$number"
          params={{ ...params, number: String(build.build_number) }}
          className="font-medium text-accent hover:underline"
        >
          {buildTitle(build)}
        </Link>
      </Cell>
      <Cell>
        <Status tone={tone}>{text}</Status>
      </Cell>
      <Cell>
        <UntrustedText>{build.initiator_name}</UntrustedText>
        <span className="text-ink-soft"> {reasonText(build.reason)}</span>
      </Cell>
      <Cell>
        <UntrustedText>{build.template_version_name}</UntrustedText>
      </Cell>
      <Cell>
        {startedAt === undefined || endedAt === undefined
          ? "–"
          : duration(Date.parse(endedAt) - Date.parse(startedAt))}
      </Cell>
      <Cell>
        <Time time={build.created_at} />
      </Cell>
    </Row>
  );
}

function SkeletonRow(): ReactNode {
  return (
    <Row>
      {["w-16", "w-20", "w-28", "w-24", "w-12", "w-20"].map((width, index) => (
        <Cell key={`${width}-${String(index)}`}>
          <Skeleton className={`h-4 ${width}`} />
        </Cell>
      ))}
    </Row>
  );
}
