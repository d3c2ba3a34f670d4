import type { DeploymentOption, DeploymentStats } from "@slipway/api/deployment/deployment";
import { getDeploymentConfig, getDeploymentStats } from "@slipway/api/deployment/routes";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Settings2 } from "lucide-react";
import { Fragment, type ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { SearchBar } from "../../components/search/search-bar.tsx";
import { buttonClasses } from "../../ui/button.tsx";
import { bytesText } from "../../ui/bytes-text.ts";
import { Figures } from "../../ui/figures.tsx";
import { EmptyState, Facts, PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Badge } from "../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../ui/table.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { flagOf, groupSettings } from "./setting-groups.ts";

const route = getRouteApi("/member/framed/deployment");

/** The statistics are read again at this interval, in milliseconds. */
const repeatMs = 30_000;

const terms = [["word", "part of a variable’s name, description or value"]] as const;

export function DeploymentPage(): ReactNode {
  return (
    <RightGate right="readDeployment" title="Deployment" roles="owners">
      <Deployment />
    </RightGate>
  );
}

function Deployment(): ReactNode {
  const config = useQuery(routeQuery(getDeploymentConfig));
  const stats = useQuery({ ...routeQuery(getDeploymentStats), refetchInterval: repeatMs });
  const facts = config.data?.config;
  return (
    <>
      <PageHeader
        title="Deployment"
        actions={
          <a href="/docs/configuration" className={buttonClasses()}>
            Guide to settings
          </a>
        }
      >
        Current activity and configuration. Settings are environment variables of the server and
        apply after a restart.
      </PageHeader>
      {stats.isError && <FailureNotice error={stats.error} />}
      {stats.data === undefined ? (
        <Skeleton className="h-20 w-full" />
      ) : (
        <Glance stats={stats.data} />
      )}
      {config.isError && (
        <FailureNotice error={config.error} onRetry={() => void config.refetch()} />
      )}
      <Panel title="This server">
        {facts === undefined ? (
          <Skeleton className="h-32 w-full" />
        ) : (
          <Facts
            facts={[
              ["Version", facts.version],
              ["Access URL", facts.access_url],
              ["Listens on", facts.http_address],
              ["Database", facts.database === "embedded" ? "Built in" : "External PostgreSQL"],
              ["Data directory", facts.data_directory],
              ["Log", `${facts.log_level}, ${facts.log_format}`],
            ]}
          />
        )}
      </Panel>
      <SettingList options={config.data?.options} />
    </>
  );
}

function Glance({ stats }: { readonly stats: DeploymentStats }): ReactNode {
  const { workspaces, session_count: sessions } = stats;
  const latency = workspaces.connection_latency_ms;
  return (
    <Figures
      label="At a glance"
      figures={[
        { label: "Running", value: workspaces.running },
        {
          label: "Building",
          value: workspaces.building + workspaces.pending,
          detail: `${workspaces.pending} waiting`,
        },
        { label: "Stopped", value: workspaces.stopped },
        { label: "Failed", value: workspaces.failed },
        {
          label: "Sessions",
          value: sessions.ssh + sessions.vscode + sessions.jetbrains + sessions.reconnecting_pty,
          detail: `${sessions.ssh} SSH, ${sessions.vscode} VS Code, ${sessions.jetbrains} JetBrains, ${sessions.reconnecting_pty} web`,
        },
        {
          label: "Latency, median",
          value: latency.P50 < 0 ? "—" : `${Math.round(latency.P50)} ms`,
          detail: latency.P95 < 0 ? "nobody connected" : `95% within ${Math.round(latency.P95)} ms`,
        },
        {
          label: "Traffic",
          value: bytesText(workspaces.rx_bytes + workspaces.tx_bytes),
          detail: "to and from workspaces",
        },
      ]}
    />
  );
}

function SettingList({
  options,
}: {
  readonly options: readonly DeploymentOption[] | undefined;
}): ReactNode {
  const { q = "", show } = route.useSearch();
  const navigate = route.useNavigate();
  const groups = options && groupSettings(options, q, show === "given");
  const shown = show && { show };
  return (
    <>
      <SearchBar
        label="Search settings"
        placeholder="Search settings"
        search={q}
        terms={terms}
        onSearch={(next) =>
          void navigate({ search: { ...(next !== "" && { q: next }), ...shown }, replace: true })
        }
      >
        <Segments
          label="Show"
          segments={[
            {
              label: "All settings",
              isCurrent: show === undefined,
              link: { to: "/deployment", search: q === "" ? {} : { q } },
            },
            {
              label: "Set by you",
              isCurrent: show === "given",
              link: { to: "/deployment", search: { ...(q !== "" && { q }), show: "given" } },
            },
          ]}
        />
      </SearchBar>
      {groups === undefined && <Skeleton className="h-64 w-full" />}
      {groups?.length === 0 && (
        <Panel>
          <EmptyState icon={<Settings2 size={28} />} title="No setting matches">
            Search for a part of a variable, such as DOCKER.
          </EmptyState>
        </Panel>
      )}
      {groups?.map(({ name, options: found }) => (
        <Panel key={name} title={name} isFlush>
          <Table label={name}>
            <HeaderRow>
              <HeaderCell>Setting</HeaderCell>
              <HeaderCell>Value</HeaderCell>
              <HeaderCell className="max-sm:hidden">Source</HeaderCell>
            </HeaderRow>
            <tbody>
              {found.map((option) => (
                <SettingRow key={option.env} option={option} />
              ))}
            </tbody>
          </Table>
        </Panel>
      ))}
    </>
  );
}

function SettingRow({ option }: { readonly option: DeploymentOption }): ReactNode {
  const isGiven = option.value_source === "given";
  const source = isGiven ? <Badge tone="active">set by you</Badge> : <Badge>default</Badge>;
  return (
    <Row>
      <Cell isText className="w-1/2">
        <p className="font-mono" title={flagOf(option.env)}>
          <Breakable>{untrusted(option.env)}</Breakable>
        </p>
        {option.description !== "" && <p className="text-ink-soft">{option.description}</p>}
      </Cell>
      <Cell isText>
        <Value option={option} />
        {isGiven && <div className="sm:hidden">{source}</div>}
      </Cell>
      <Cell className="max-sm:hidden">{source}</Cell>
    </Row>
  );
}

/** The name of a variable, which breaks between its words where it has to. */
function Breakable({ children }: { readonly children: string }): ReactNode {
  return Array.from(children.matchAll(/[^_]*_?/g), ({ 0: word, index }) => (
    <Fragment key={index}>
      {word}
      <wbr />
    </Fragment>
  ));
}

function Value({ option }: { readonly option: DeploymentOption }): ReactNode {
  if (option.value_source === "default") {
    return <span className="text-ink-soft">{option.default === "" ? "—" : option.default}</span>;
  }
  if (option.secret) return <span className="text-ink-soft">secret, not shown</span>;
  return (
    <>
      <UntrustedText>{option.value}</UntrustedText>
      {option.default !== "" && <span className="text-ink-soft"> (default: {option.default})</span>}
    </>
  );
}
