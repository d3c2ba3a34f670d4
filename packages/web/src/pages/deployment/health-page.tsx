import { getBuildInfo, getHealthReport } from "@slipway/api/deployment/routes";
import type { ProvisionerDaemon } from "@slipway/api/jobs/provisioner";
import { listProvisionerDaemons } from "@slipway/api/organizations/provisioner-routes";
import { useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { WorkerState } from "../../components/worker-state.tsx";
import { Button } from "../../ui/button.tsx";
import { PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Badge, Status } from "../../ui/status.tsx";
import { Cell, FoldedFacts, HeaderCell, HeaderRow, Row, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import {
  type Check,
  relayCheck,
  reportChecks,
  serversCheck,
  type Severity,
  socketCheck,
  worstOf,
} from "./health-checks.ts";
import { probeRelay, probeSocket } from "./probes.ts";

const tones = { ok: "good", warning: "warn", error: "bad" } as const;
const words: Readonly<Record<Severity, string>> = {
  ok: "Healthy",
  warning: "Warning",
  error: "Failing",
};
const summaries: Readonly<Record<Severity, string>> = {
  ok: "Everything works.",
  warning: "Everything works, but something needs attention.",
  error: "Something is not working.",
};

/** The checks are repeated at this interval while the page is open, in milliseconds. */
const repeatMs = 30_000;

export function HealthPage(): ReactNode {
  return (
    <RightGate right="readDeployment" title="Health" roles="owners">
      <Health />
    </RightGate>
  );
}

function Health(): ReactNode {
  const repeated = { refetchInterval: repeatMs };
  const report = useQuery({ ...routeQuery(getHealthReport), ...repeated });
  const build = useQuery(routeQuery(getBuildInfo));
  const servers = useQuery({
    ...routeQuery(listProvisionerDaemons, {
      params: { organization: "default" },
      query: { offline: "true" },
    }),
    ...repeated,
  });
  const socket = useQuery({
    queryKey: ["probe", "socket"],
    queryFn: ({ signal }) => probeSocket(signal),
    ...repeated,
  });
  const relay = useQuery({
    queryKey: ["probe", "relay"],
    queryFn: ({ signal }) => probeRelay(signal),
    ...repeated,
  });
  const all = [report, servers, socket, relay];
  const checks: readonly Check[] = [
    ...(report.data === undefined ? [] : reportChecks(report.data, location.origin)),
    ...(socket.data === undefined ? [] : [socketCheck(socket.data)]),
    ...(relay.data === undefined ? [] : [relayCheck(relay.data)]),
    ...(servers.data === undefined || build.data === undefined
      ? []
      : [serversCheck(servers.data, build.data.version)]),
  ];
  const isPending = all.some((one) => one.isPending);
  const failed = all.find((one) => one.isError);
  const worst = worstOf(checks);
  return (
    <>
      <PageHeader
        title="Health"
        actions={
          <Button
            icon={<RefreshCw aria-hidden size={14} />}
            isBusy={all.some((one) => one.isFetching)}
            onClick={() => {
              for (const one of all) void one.refetch();
            }}
          >
            Check again
          </Button>
        }
      >
        {build.data === undefined
          ? "…"
          : `Version ${build.data.version}, as seen by one server and by this browser.`}
      </PageHeader>
      {failed !== undefined && <FailureNotice error={failed.error} />}
      {!isPending && failed === undefined && (
        <Notice tone={tones[worst]} title={summaries[worst]} />
      )}
      <Panel title="Checks" isFlush>
        {isPending && (
          <div className="flex flex-col gap-3 p-4">
            {["a", "b", "c", "d", "e"].map((key) => (
              <Skeleton key={key} className="h-9 w-full" />
            ))}
          </div>
        )}
        {!isPending && (
          <ul>
            {checks.map((check) => (
              <CheckRow key={check.name} check={check} />
            ))}
          </ul>
        )}
      </Panel>
      {servers.data !== undefined && (
        <Servers servers={servers.data} version={build.data?.version} />
      )}
    </>
  );
}

function CheckRow({ check }: { readonly check: Check }): ReactNode {
  return (
    <li className="grid gap-x-6 gap-y-1 border-b border-line px-4 py-3 last:border-b-0 sm:grid-cols-[8rem_minmax(0,1fr)]">
      <Status tone={tones[check.severity]}>{words[check.severity]}</Status>
      <div className="min-w-0">
        <p>
          <span className="font-medium">{check.name}</span>{" "}
          <span className="text-ink-soft">{check.meaning}</span>
        </p>
        <p className="wrap-anywhere">
          <UntrustedText>{check.found}</UntrustedText>
        </p>
        {check.advice !== undefined && (
          <p className="text-sm wrap-anywhere text-ink-soft">{check.advice}</p>
        )}
      </div>
    </li>
  );
}

function Servers({
  servers,
  version,
}: {
  readonly servers: readonly ProvisionerDaemon[];
  readonly version: string | undefined;
}): ReactNode {
  return (
    <Panel title="Servers and provisioners" isFlush>
      <Table label="Servers and provisioners">
        <HeaderRow>
          <HeaderCell>Name</HeaderCell>
          <HeaderCell>State</HeaderCell>
          <HeaderCell className="max-sm:hidden">Version</HeaderCell>
          <HeaderCell className="max-sm:hidden">Drivers</HeaderCell>
          <HeaderCell className="max-sm:hidden">Last report</HeaderCell>
        </HeaderRow>
        <tbody>
          {servers.map((server) => (
            <ServerRow key={server.id} server={server} isCurrent={server.version === version} />
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

interface ServerRowProps {
  readonly server: ProvisionerDaemon;
  /** True if it runs the version of the server that answers. */
  readonly isCurrent: boolean;
}

function ServerRow({ server, isCurrent }: ServerRowProps): ReactNode {
  const version = (
    <Badge tone={isCurrent ? "neutral" : "warn"}>
      <UntrustedText>{server.version}</UntrustedText>
    </Badge>
  );
  const drivers = <UntrustedText>{server.provisioners.join(", ")}</UntrustedText>;
  const report = <Time time={server.last_seen_at} />;
  return (
    <Row>
      <Cell isName className="font-medium">
        <UntrustedText>{server.name}</UntrustedText>
        <FoldedFacts>
          {version}
          {drivers}
          <span>reported {report}</span>
        </FoldedFacts>
      </Cell>
      <Cell>
        <WorkerState status={server.status} />
      </Cell>
      <Cell className="max-sm:hidden">{version}</Cell>
      <Cell isText className="max-sm:hidden">
        {drivers}
      </Cell>
      <Cell className="max-sm:hidden">{report}</Cell>
    </Row>
  );
}
