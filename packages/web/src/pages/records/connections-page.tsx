import {
  type ConnectionLog,
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
import { TermDate } from "../../components/search/term-date.tsx";
import { TermSelect } from "../../components/search/term-filters.tsx";
import { connectionEnd } from "../../components/workspaces/connection-end.ts";
import { connectionTypeNames } from "../../components/workspaces/connection-types.ts";
import { EmptyState, PageHeader, Panel } from "../../ui/layout.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Status } from "../../ui/status.tsx";
import {
  Cell,
  FoldedFacts,
  HeaderCell,
  HeaderRow,
  Row,
  SkeletonRows,
  Table,
} from "../../ui/table.tsx";
import { duration } from "../../ui/time-text.ts";
import { Time, useNow } from "../../ui/time.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

const route = getRouteApi("/member/framed/connectionlog");
const pageSize = 25;

const terms = [
  ["word", "the full name of the workspace"],
  ["workspace_owner:ann", "the owner of the workspace, or me"],
  ["workspace_id:…", "the id of the workspace"],
  ["organization:…", "a name or an id"],
  ["username:ann", "the user who connected, or me"],
  ["type:ssh", "ssh, vscode, jetbrains or reconnecting_pty (a terminal of the dashboard)"],
  ["status:ongoing", "still open; status:completed: closed"],
  ["connected_after:2026-01-31", "that day or later, in UTC; connected_before: earlier"],
  ["-type:ssh", "anything else; a minus sign before any term excludes what it matches"],
] as const;

const states = [
  ["ongoing", "Open"],
  ["completed", "Closed"],
] as const;

export function ConnectionsPage(): ReactNode {
  return (
    <RightGate right="readAudit" title="Connections" roles="owners and auditors">
      <Connections />
    </RightGate>
  );
}

function Connections(): ReactNode {
  const { q = "", page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const setSearch = (next: string): void =>
    void navigate({ search: next === "" ? {} : { q: next }, replace: true });
  const log = useQuery({
    ...routeQuery(listConnectionLogs, {
      query: { q, limit: String(pageSize), offset: String((page - 1) * pageSize) },
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
        search={q}
        onSearch={setSearch}
        label="Search connections"
        placeholder="Name of a workspace, or workspace_owner:ann -type:ssh"
        terms={terms}
        filters={(filter) => (
          <>
            <TermSelect
              {...filter}
              label="Type"
              term="type"
              choices={connectionTypes.map((type) => [type, connectionTypeNames[type]])}
            />
            <TermSelect {...filter} label="State" term="status" choices={states} />
            <TermDate {...filter} label="From" term="connected_after" />
            <TermDate {...filter} label="Before" term="connected_before" />
          </>
        )}
      />
      {log.isError && <FailureNotice error={log.error} onRetry={() => void log.refetch()} />}
      {rows?.length === 0 ? (
        <Panel>
          <EmptyState
            icon={<Cable size={28} />}
            title={q === "" ? "No connections yet" : "No connection matches"}
          >
            Terminals, SSH sessions and editors that connect to workspaces are listed here.
          </EmptyState>
        </Panel>
      ) : (
        <Panel isFlush>
          <Table label="Connections">
            <HeaderRow>
              <HeaderCell className="max-sm:hidden">Began</HeaderCell>
              <HeaderCell className="max-sm:hidden">User</HeaderCell>
              <HeaderCell>Workspace</HeaderCell>
              <HeaderCell className="max-sm:hidden">Type</HeaderCell>
              <HeaderCell className="max-sm:hidden">Address</HeaderCell>
              <HeaderCell className="max-sm:hidden">Lasted</HeaderCell>
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
        linkTo={(next) => ({
          to: "/connectionlog",
          search: { ...(q === "" ? {} : { q }), page: next },
        })}
      />
    </>
  );
}

function ConnectionRow({ row }: { readonly row: ConnectionLog }): ReactNode {
  const { disconnect_time: end } = row.ssh_info;
  const endText = connectionEnd(row.ssh_info);
  const now = useNow();
  const began = new Date(row.connect_time).getTime();
  const ms = (end === undefined ? now : new Date(end)).getTime() - began;
  const user =
    row.user === undefined ? (
      <span className="text-ink-soft">Unknown</span>
    ) : (
      <UntrustedText>{row.user.username}</UntrustedText>
    );
  const length = (
    <>
      <Status tone={end === undefined ? "good" : "neutral"}>
        {end === undefined ? `Open for ${duration(ms)}` : duration(ms)}
      </Status>
      {endText !== undefined && (
        <p className="text-ink-soft first-letter:uppercase">
          <UntrustedText>{endText}</UntrustedText>
        </p>
      )}
    </>
  );
  return (
    <Row>
      <Cell className="max-sm:hidden">
        <Time time={row.connect_time} />
      </Cell>
      <Cell isName className="max-sm:hidden">
        {user}
      </Cell>
      <Cell isName className="font-medium">
        <UntrustedText>{`${row.workspace_owner_username}/${row.workspace_name}`}</UntrustedText>
        {row.agent_name !== "main" && (
          <span className="font-normal text-ink-soft">
            {" "}
            <UntrustedText>{row.agent_name}</UntrustedText>
          </span>
        )}
        <FoldedFacts>
          {user}
          <span>{connectionTypeNames[row.type]}</span>
          {row.ip !== undefined && <span>from {row.ip}</span>}
          <Time time={row.connect_time} />
          <div className="w-full">{length}</div>
        </FoldedFacts>
      </Cell>
      <Cell className="max-sm:hidden">{connectionTypeNames[row.type]}</Cell>
      <Cell isName className="max-sm:hidden">
        {row.ip ?? "Unknown"}
      </Cell>
      <Cell isText className="max-sm:hidden">
        {length}
      </Cell>
    </Row>
  );
}
