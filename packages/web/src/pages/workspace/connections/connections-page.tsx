import type { ConnectionLog } from "@slipway/api/agents/connection-log-routes";
import {
  type ConnectionPath,
  listConnectionPaths,
} from "@slipway/api/agents/connection-path-routes";
import { type AgentUse, listWorkspaceConnections } from "@slipway/api/workspaces/connection-routes";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Cable } from "lucide-react";
import type { ReactNode } from "react";

import { routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { agentsOf } from "../../../components/workspaces/agents.ts";
import { connectionEnd } from "../../../components/workspaces/connection-end.ts";
import { connectionTypeNames } from "../../../components/workspaces/connection-types.ts";
import { bytesText } from "../../../ui/bytes-text.ts";
import { EmptyState, Panel, Skeleton } from "../../../ui/layout.tsx";
import { Status } from "../../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../../ui/table.tsx";
import { duration } from "../../../ui/time-text.ts";
import { Time, useNow } from "../../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspace } from "../use-workspace.tsx";
import { pathText } from "./path-text.ts";

/** The interval at which the connections are read again, in milliseconds. */
const refetchMs = 10_000;

/** The present and past connections to a workspace, and their quality. */
export function ConnectionsPage(): ReactNode {
  const workspace = useWorkspace();
  const list = useQuery({
    ...routeQuery(listWorkspaceConnections, { params: { workspace: workspace.id } }),
    refetchInterval: refetchMs,
  });
  const failure = list.isError && (
    <FailureNotice error={list.error} onRetry={() => void list.refetch()} />
  );
  if (list.isLoadingError) return failure;
  return (
    <>
      {failure}
      <Reach uses={list.data?.agents ?? []} />
      <Panel title="Connections" isFlush>
        {list.data === undefined && <Skeleton className="m-4 h-24" />}
        {list.data !== undefined &&
          (list.data.connections.length === 0 ? (
            <EmptyState icon={<Cable size={28} />} title="Nobody has connected yet">
              SSH sessions, editors and terminals appear here with who opened them and for how long.
            </EmptyState>
          ) : (
            <ConnectionTable connections={list.data.connections} />
          ))}
      </Panel>
    </>
  );
}

/** The reports of the agents: their way to the relays and their sessions. */
function Reach({ uses }: { readonly uses: readonly AgentUse[] }): ReactNode {
  const { latest_build: build } = useWorkspace();
  const agents = agentsOf(build);
  if (build.transition !== "start" || agents.length === 0) return null;
  return (
    <Panel title="Network" isFlush>
      <Table label="Network">
        <HeaderRow>
          <HeaderCell>Agent</HeaderCell>
          <HeaderCell>Relays</HeaderCell>
          <HeaderCell>Client latency</HeaderCell>
          <HeaderCell>Sessions</HeaderCell>
          <HeaderCell>Traffic</HeaderCell>
        </HeaderRow>
        <tbody>
          {agents.map(({ id, name, latency = {} }) => {
            const use = uses.find(({ agent_name: agent }) => agent === name);
            const regions = Object.entries(latency);
            return (
              <Row key={id}>
                <Cell className="font-medium">
                  <UntrustedText>{name}</UntrustedText>
                </Cell>
                <Cell>
                  {regions.length === 0 && "–"}
                  {regions.map(([region, { latency_ms: ms, preferred }]) => (
                    <div key={region}>
                      {untrusted(region)}, {duration(ms)}
                      {preferred && <span className="text-ink-soft"> (in use)</span>}
                    </div>
                  ))}
                </Cell>
                <Cell>
                  {use === undefined || use.median_latency_ms === null
                    ? "–"
                    : duration(use.median_latency_ms)}
                </Cell>
                <Cell>{use === undefined ? "none reported" : sessionsText(use)}</Cell>
                <Cell>
                  {use === undefined ? (
                    "–"
                  ) : (
                    <>
                      ↓ {bytesText(use.rx_bytes)}, ↑ {bytesText(use.tx_bytes)}{" "}
                      <span className="text-ink-soft">
                        (<Time time={use.reported_at} />)
                      </span>
                    </>
                  )}
                </Cell>
              </Row>
            );
          })}
        </tbody>
      </Table>
    </Panel>
  );
}

function sessionsText({ sessions }: AgentUse): string {
  const names = ["ssh", "vscode", "jetbrains", "reconnecting_pty"] as const;
  const parts = names
    .filter((name) => sessions[name] > 0)
    .map((name) => `${String(sessions[name])} ${connectionTypeNames[name]}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

function ConnectionTable({
  connections,
}: {
  readonly connections: readonly ConnectionLog[];
}): ReactNode {
  const now = useNow();
  const paths = usePaths(connections);
  return (
    <Table label="Connections">
      <HeaderRow>
        <HeaderCell>State</HeaderCell>
        <HeaderCell>Type</HeaderCell>
        <HeaderCell>Who</HeaderCell>
        <HeaderCell>Agent</HeaderCell>
        <HeaderCell>Path</HeaderCell>
        <HeaderCell>Began</HeaderCell>
        <HeaderCell>Lasted</HeaderCell>
        <HeaderCell>End</HeaderCell>
      </HeaderRow>
      <tbody>
        {connections.map((one) => {
          const { disconnect_time: end } = one.ssh_info;
          const endMs = end === undefined ? now.getTime() : Date.parse(end);
          return (
            <Row key={one.id}>
              <Cell>
                <Status tone={end === undefined ? "good" : "neutral"}>
                  {end === undefined ? "Open" : "Closed"}
                </Status>
              </Cell>
              <Cell>{connectionTypeNames[one.type]}</Cell>
              <Cell>
                {one.user === undefined ? (
                  <span className="text-ink-soft">unknown</span>
                ) : (
                  <UntrustedText>{one.user.username}</UntrustedText>
                )}
                {one.ip !== undefined && <div className="text-ink-soft">{untrusted(one.ip)}</div>}
              </Cell>
              <Cell>
                <UntrustedText>{one.agent_name}</UntrustedText>
              </Cell>
              <Cell isText className="first-letter:uppercase">
                {end === undefined ? (
                  <UntrustedText>{pathText(paths.get(one.id))}</UntrustedText>
                ) : (
                  "–"
                )}
              </Cell>
              <Cell>
                <Time time={one.connect_time} />
              </Cell>
              <Cell>{duration(endMs - Date.parse(one.connect_time))}</Cell>
              <Cell isText className="first-letter:uppercase">
                <UntrustedText>{connectionEnd(one.ssh_info) ?? "–"}</UntrustedText>
              </Cell>
            </Row>
          );
        })}
      </tbody>
    </Table>
  );
}

/** Reads the paths of the open connections from their agents, by the ids of the connections. */
function usePaths(connections: readonly ConnectionLog[]): ReadonlyMap<string, ConnectionPath> {
  const open = connections.filter(({ ssh_info: info }) => info.disconnect_time === undefined);
  const named = new Set(open.map(({ agent_name: name }) => name));
  const agents = agentsOf(useWorkspace().latest_build).filter(
    ({ name, status }) => status === "connected" && named.has(name),
  );
  const answers = useQueries({
    queries: agents.map(({ id }) =>
      Object.assign(routeQuery(listConnectionPaths, { params: { agent: id } }), {
        refetchInterval: refetchMs,
      }),
    ),
  });
  const paths = answers.flatMap(({ data }) => data?.paths ?? []);
  return new Map(paths.map((path) => [path.connection_id, path]));
}
