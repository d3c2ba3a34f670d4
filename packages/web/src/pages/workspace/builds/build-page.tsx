import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { listBuildParameters } from "@slipway/api/builds/routes";
import { getBuildByNumber } from "@slipway/api/workspaces/build-routes";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { type ReactNode, useEffect } from "react";

import { routeQuery } from "../../../api/queries.ts";
import { Missing } from "../../../components/missing.tsx";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { valueText } from "../../../components/parameters/list-value.ts";
import { ParameterValue } from "../../../components/parameters/parameter-value.tsx";
import { useMask } from "../../../components/parameters/version-parameters.ts";
import { buttonClasses } from "../../../ui/button.tsx";
import { Facts, Panel, Skeleton } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Badge, Status } from "../../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../../ui/table.tsx";
import { duration } from "../../../ui/time-text.ts";
import { Time } from "../../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspace, useWorkspaceParams } from "../use-workspace.tsx";
import { BuildLog } from "./build-log.tsx";
import { buildOutcome, buildTitle, reasonText } from "./build-text.ts";
import { type ParameterChange, parameterChanges } from "./parameter-changes.ts";

const route = getRouteApi("/member/framed/@{$owner}/$workspace/builds/$number");

/** One build: its log, its parameters, and what it changed. */
export function BuildPage(): ReactNode {
  const { number } = route.useParams();
  const { owner_name: user, name, latest_build: latest } = useWorkspace();
  const params = useWorkspaceParams();
  const read = useQuery(routeQuery(getBuildByNumber, { params: { user, name, number } }));
  const { refetch } = read;
  const isLatest = String(latest.build_number) === number;
  // A build that is no longer the latest may have ended unseen.
  useEffect(() => {
    void refetch({ cancelRefetch: false });
  }, [isLatest, latest.status, refetch]);
  const build = isLatest ? latest : read.data;
  if (build === undefined) {
    if (!read.isError) return <Skeleton className="h-64 w-full" />;
    const missing = <MissingBuild number={number} />;
    return <FailureNotice error={read.error} onRetry={() => void refetch()} missing={missing} />;
  }
  return (
    <>
      <Link
        to="/@{$owner}/$workspace/builds"
        params={params}
        className="inline-flex items-center gap-1.5 text-sm text-ink-soft hover:text-ink"
      >
        <ArrowLeft aria-hidden size={14} />
        All builds
      </Link>
      <BuildFacts build={build} />
      {build.job.error !== undefined && <Notice tone="bad" title={untrusted(build.job.error)} />}
      <Panel title="Log" isFlush>
        <BuildLog key={build.id} build={build} />
      </Panel>
      <Parameters build={build} />
    </>
  );
}

function MissingBuild({ number }: { readonly number: string }): ReactNode {
  const { latest_build: latest } = useWorkspace();
  const params = useWorkspaceParams();
  return (
    <Missing
      title={`There is no build ${untrusted(number)}`}
      action={
        <Link
          to="/@{$owner}/$workspace/builds"
          params={params}
          className={buttonClasses("primary")}
        >
          All builds
        </Link>
      }
    >
      {`The latest build of the workspace is #${String(latest.build_number)}.`}
    </Missing>
  );
}

function BuildFacts({ build }: { readonly build: WorkspaceBuild }): ReactNode {
  const { tone, text } = buildOutcome(build);
  const { created_at: askedAt, started_at: startedAt, completed_at: endedAt } = build.job;
  return (
    <Panel title={buildTitle(build)}>
      <Facts
        facts={[
          [
            "Status",
            <Status key="status" tone={tone}>
              {text}
            </Status>,
          ],
          [
            "Started by",
            <span key="by">
              <UntrustedText>{build.initiator_name}</UntrustedText> {reasonText(build.reason)}
            </span>,
          ],
          ["Version", <UntrustedText key="version">{build.template_version_name}</UntrustedText>],
          ["When", <Time key="when" time={build.created_at} />],
          [
            "Waited",
            startedAt === undefined ? "–" : duration(Date.parse(startedAt) - Date.parse(askedAt)),
          ],
          [
            "Took",
            startedAt === undefined || endedAt === undefined
              ? "–"
              : duration(Date.parse(endedAt) - Date.parse(startedAt)),
          ],
        ]}
      />
    </Panel>
  );
}

function Parameters({ build }: { readonly build: WorkspaceBuild }): ReactNode {
  const { owner_name: user, name } = useWorkspace();
  const { build_number: number } = build;
  const values = useQuery(routeQuery(listBuildParameters, { params: { build: build.id } }));
  const before = useQuery({
    ...routeQuery(getBuildByNumber, { params: { user, name, number: String(number - 1) } }),
    enabled: number > 1,
  });
  const beforeId = before.data?.id ?? "";
  const valuesBefore = useQuery({
    ...routeQuery(listBuildParameters, { params: { build: beforeId } }),
    enabled: beforeId !== "",
  });
  const mask = useMask(build.template_version_id, values.data);
  if (values.data === undefined || values.data.length === 0 || mask === undefined) return null;
  const changes = parameterChanges(values.data, valuesBefore.data);
  return (
    <Panel title="Parameters" isFlush>
      <Table label="Parameters">
        <HeaderRow>
          <HeaderCell>Name</HeaderCell>
          <HeaderCell>Value</HeaderCell>
          {number > 1 && <HeaderCell>Change</HeaderCell>}
        </HeaderRow>
        <tbody>
          {changes.map((change) => (
            <Row key={change.name}>
              <Cell isText>
                <UntrustedText>{change.name}</UntrustedText>
              </Cell>
              <Cell isText className="max-w-md">
                {change.value !== undefined && (
                  <ParameterValue
                    title={untrusted(change.name)}
                    value={change.value}
                    isMasked={mask(change.name)}
                  />
                )}
              </Cell>
              {number > 1 && (
                <Cell isText className="max-w-md">
                  <ChangeText change={change} isMasked={mask(change.name)} />
                </Cell>
              )}
            </Row>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

function ChangeText({
  change: { kind, before },
  isMasked,
}: {
  readonly change: ParameterChange;
  readonly isMasked: boolean;
}): ReactNode {
  switch (kind) {
    case "same":
      return <span className="text-ink-soft">unchanged</span>;
    case "added":
      return <Badge tone="good">new</Badge>;
    case "removed":
      return <Badge tone="bad">removed</Badge>;
    case "changed":
      return (
        <>
          <Badge tone="warn">changed</Badge>
          {!isMasked && (
            <>
              {" "}
              was <UntrustedText>{valueText(before ?? "")}</UntrustedText>
            </>
          )}
        </>
      );
  }
}
