import {
  type ConnectionLog,
  connectionStatuses,
  connectionTypes,
  listConnectionLogs,
} from "@slipway/api/agents/connection-log-routes";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Cable } from "lucide-react";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { SearchBar } from "../../components/search/search-bar.tsx";
import { searchText } from "../../components/search/search-terms.ts";
import { EmptyState, PageHeader, Panel } from "../../ui/layout.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Status } from "../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, SkeletonRows, Table } from "../../ui/table.tsx";
import { duration } from "../../ui/time-text.ts";
import { Time, useNow } from "../../ui/time.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { FilterSelect } from "./filter-select.tsx";
import type { ConnectionSearch } from "./routes.tsx";

const route = getRouteApi("/member/framed/connectionlog");
const pageSize = 25;

const terms = [
  ["word", "the full name of the workspace"],
  ["workspace_owner:ann", "the owner of the workspace, or me"],
  ["workspace_id:…", "the id of the workspace"],
  ["organization:…", "a name or an id"],
  ["connected_after:2026-01-31", "that day or later; connected_before: earlier"],
] as const;

const types: Readonly<Record<ConnectionLog["type"], string>> = {
  ssh: "SSH",
  vscode: "VS Code",
  jetbrains: "JetBrains",
  reconnecting_pty: "Web terminal",
};

export function ConnectionsPage(): ReactNode {
  return (
    <RightGate right="readAudit" title="Connections" roles="owners and auditors">
      <Connections />
    </RightGate>
  );
}

function Connections(): ReactNode {
  const search = route.useSearch();
  const { q = "", type, status, page = 1 } = search;
  const navigate = route.useNavigate();
  const setFilter = (name: keyof ConnectionSearch, value: string): void => {
    const { page: _page, [name]: _old, ...rest } = search;
    void navigate({ search: value === "" ? rest : { ...rest, [name]: value }, replace: true });
  };
  const log = useQuery({
    ...routeQuery(listConnectionLogs, {
      query: {
        q: searchText(q, { type, status }),
        limit: String(pageSize),
        offset: String((page - 1) * pageSize),
      },
    }),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
  const rows = log.data?.connection_logs;
  return (
    <>
      <PageHeader title="Connections">
        Who connected to which workspace, from where and for how long.
      </PageHeader>
      <SearchBar
        label="Search connections"
        placeholder="Name of a workspace, or workspace_owner:ann"
        search={q}
        terms={terms}
        onSearch={(value) => setFilter("q", value)}
      >
        <FilterSelect
          label="Kind"
          all="All kinds"
          value={type}
          values={connectionTypes}
          onValue={(value) => setFilter("type", value)}
        />
        <FilterSelect
          label="State"
          all="All states"
          value={status}
          values={connectionStatuses}
          onValue={(value) => setFilter("status", value)}
        />
      </SearchBar>
      {log.isError && <FailureNotice error={log.error} onRetry={() => void log.refetch()} />}
      {rows?.length === 0 ? (
        <Panel>
          <EmptyState icon={<Cable size={28} />} title="No connection matches">
            Terminals, SSH sessions and editors that connect to workspaces are listed here.
          </EmptyState>
        </Panel>
      ) : (
        <Panel isFlush>
          <Table label="Connections">
            <HeaderRow>
              <HeaderCell>Began</HeaderCell>
              <HeaderCell>User</HeaderCell>
              <HeaderCell>Workspace</HeaderCell>
              <HeaderCell>Kind</HeaderCell>
              <HeaderCell>Address</HeaderCell>
              <HeaderCell>Lasted</HeaderCell>
            </HeaderRow>
            <tbody>
              {log.isPending && <SkeletonRows columns={6} rows={5} />}
              {rows?.map((row) => (
                <ConnectionRow key={row.id} row={row} />
              ))}
            </tbody>
          </Table>
        </Panel>
      )}
      <Pager
        page={page}
        pageSize={pageSize}
        count={log.data?.count ?? 0}
        isCapped={log.data !== undefined && log.data.count >= log.data.count_cap}
        linkTo={(next) => ({ to: "/connectionlog", search: { ...search, page: next } })}
      />
    </>
  );
}

function ConnectionRow({ row }: { readonly row: ConnectionLog }): ReactNode {
  const { disconnect_time: end, disconnect_reason: reason, exit_code: exitCode } = row.ssh_info;
  const now = useNow();
  const began = new Date(row.connect_time).getTime();
  const ms = (end === undefined ? now : new Date(end)).getTime() - began;
  return (
    <Row>
      <Cell>
        <Time time={row.connect_time} />
      </Cell>
      <Cell>
        {row.user === undefined ? (
          <span className="text-ink-soft">Unknown</span>
        ) : (
          <UntrustedText>{row.user.username}</UntrustedText>
        )}
      </Cell>
      <Cell className="font-medium">
        <UntrustedText>{`${row.workspace_owner_username}/${row.workspace_name}`}</UntrustedText>
        {row.agent_name !== "main" && (
          <span className="font-normal text-ink-soft">
            {" "}
            <UntrustedText>{row.agent_name}</UntrustedText>
          </span>
        )}
      </Cell>
      <Cell>{types[row.type]}</Cell>
      <Cell>{row.ip ?? "Unknown"}</Cell>
      <Cell>
        <Status tone={end === undefined ? "good" : "neutral"}>
          {duration(ms)}
          {exitCode !== undefined && exitCode !== 0 && `, exit code ${exitCode}`}
        </Status>
        {reason !== undefined && reason !== "" && (
          <p className="text-ink-soft">
            <UntrustedText>{reason}</UntrustedText>
          </p>
        )}
      </Cell>
    </Row>
  );
}
