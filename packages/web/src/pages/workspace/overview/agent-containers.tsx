import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import {
  type Containers,
  deleteDevcontainer,
  getContainers,
  recreateDevcontainer,
  watchContainers,
} from "@slipway/api/agents/container-routes";
import type { Infer } from "@slipway/api/contract/scalars";
import { ApiError } from "@slipway/sdk/http";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Container as ContainerIcon } from "lucide-react";
import { type ReactNode, useState } from "react";

import { client } from "../../../api/client.ts";
import { routeQuery, setStreamed } from "../../../api/queries.ts";
import { useStream } from "../../../api/use-stream.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { Button } from "../../../ui/button.tsx";
import { ConfirmDialog } from "../../../ui/dialog.tsx";
import { errorText } from "../../../ui/error-text.ts";
import { EmptyState, Skeleton } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Badge, Status, type Tone } from "../../../ui/status.tsx";
import {
  ActionsCell,
  Cell,
  FoldedFacts,
  HeaderCell,
  HeaderRow,
  Row,
  Table,
} from "../../../ui/table.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { TerminalLink } from "./terminal-link.tsx";

type ContainerList = Infer<typeof Containers>;
type Container = ContainerList["containers"][number];
type Devcontainer = ContainerList["devcontainers"][number];

/** The containers beside an agent, as they come and go. */
export function AgentContainers({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const query = routeQuery(getContainers, { params: { agent: agent.id } });
  const isConnected = agent.status === "connected";
  const list = useQuery({ ...query, enabled: isConnected });
  if (!isConnected) {
    return <EmptyState title="Containers appear once the agent is connected" />;
  }
  if (list.error instanceof ApiError && list.error.status === 403) {
    // The agent leaves containers alone, and says why.
    return (
      <EmptyState icon={<ContainerIcon size={28} />} title="No containers for this agent">
        <UntrustedText>{errorText(list.error)}</UntrustedText>
      </EmptyState>
    );
  }
  if (list.isError) {
    return (
      <div className="p-4">
        <FailureNotice error={list.error} onRetry={() => void list.refetch()} />
      </div>
    );
  }
  if (list.data === undefined) return <Skeleton className="m-4 h-24" />;
  return <ContainerTables list={list.data} agent={agent} />;
}

interface ListProps {
  readonly list: ContainerList;
  readonly agent: WorkspaceAgent;
}

function ContainerTables({ list, agent }: ListProps): ReactNode {
  const cache = useQueryClient();
  const params = { agent: agent.id };
  const query = routeQuery(getContainers, { params });
  useStream(
    watchContainers,
    { params },
    {
      onMessage: (latest) => setStreamed(cache, query, latest),
      onMissed: () => void cache.invalidateQueries({ queryKey: query.queryKey, exact: true }),
    },
  );
  const { containers, devcontainers, warnings = [] } = list;
  const others = containers.filter(
    ({ id }) => !devcontainers.some(({ container }) => container?.id === id),
  );
  return (
    <>
      {warnings.map((warning) => (
        <div key={warning} className="p-4 pb-0">
          <Notice tone="warn" title={untrusted(warning)} />
        </div>
      ))}
      {devcontainers.length > 0 && <Devcontainers list={devcontainers} agent={agent} />}
      {others.length > 0 && <OtherContainers list={others} agent={agent} />}
      {containers.length === 0 && devcontainers.length === 0 && (
        <EmptyState icon={<ContainerIcon size={28} />} title="No containers run beside this agent">
          Containers that you start in the workspace with docker or podman appear here, and so do
          the dev containers of its repositories.
        </EmptyState>
      )}
    </>
  );
}

const statuses: Readonly<
  Record<Devcontainer["status"], { readonly tone: Tone; readonly text: string }>
> = {
  running: { tone: "good", text: "Running" },
  stopped: { tone: "neutral", text: "Stopped" },
  starting: { tone: "active", text: "Starting" },
  stopping: { tone: "active", text: "Stopping" },
  deleting: { tone: "active", text: "Being deleted" },
  error: { tone: "bad", text: "Failed" },
};

function Devcontainers({
  list,
  agent,
}: {
  readonly list: readonly Devcontainer[];
  readonly agent: WorkspaceAgent;
}): ReactNode {
  const [asked, setAsked] = useState<{
    readonly action: "recreate" | "delete";
    readonly one: Devcontainer;
  }>();
  return (
    <>
      <Table label={`Dev containers of ${agent.name}`}>
        <HeaderRow>
          <HeaderCell>Dev container</HeaderCell>
          <HeaderCell>Status</HeaderCell>
          <HeaderCell>Folder</HeaderCell>
          <HeaderCell>
            <span className="sr-only">Actions</span>
          </HeaderCell>
        </HeaderRow>
        <tbody>
          {list.map((one) => (
            <Row key={one.id}>
              <Cell isText className="font-medium">
                <UntrustedText>{one.name}</UntrustedText>{" "}
                {one.dirty && <Badge tone="warn">configuration changed</Badge>}
              </Cell>
              <Cell isText>
                <Status tone={statuses[one.status].tone}>{statuses[one.status].text}</Status>
                {one.error !== undefined && (
                  <p className="mt-1 max-w-md whitespace-normal text-bad wrap-anywhere">
                    <UntrustedText>{one.error}</UntrustedText>
                  </p>
                )}
              </Cell>
              <Cell isText className="font-mono text-xs">
                <UntrustedText>{one.workspace_folder}</UntrustedText>
              </Cell>
              <Cell>
                <div className="flex justify-end gap-2">
                  <Button size="small" onClick={() => setAsked({ action: "recreate", one })}>
                    Recreate
                  </Button>
                  <Button size="small" onClick={() => setAsked({ action: "delete", one })}>
                    Delete
                  </Button>
                </div>
              </Cell>
            </Row>
          ))}
        </tbody>
      </Table>
      {asked !== undefined && (
        <DevcontainerDialog {...asked} agent={agent} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

interface DevcontainerDialogProps {
  readonly action: "recreate" | "delete";
  readonly one: Devcontainer;
  readonly agent: WorkspaceAgent;
  readonly onClose: () => void;
}

function DevcontainerDialog({ action, one, agent, onClose }: DevcontainerDialogProps): ReactNode {
  const isDelete = action === "delete";
  const params = { agent: agent.id, devcontainer: one.id };
  return (
    <ConfirmDialog
      title={`${isDelete ? "Delete" : "Recreate"} ${untrusted(one.name)}?`}
      action={isDelete ? "Delete dev container" : "Recreate dev container"}
      isDangerous={isDelete}
      onConfirm={() =>
        client.call(isDelete ? deleteDevcontainer : recreateDevcontainer, { params })
      }
      onClose={onClose}
    >
      <p>
        {isDelete
          ? "Its container and its agent are removed."
          : "Its container is removed and built again from its configuration."}{" "}
        What is only inside the container is lost; the files of the workspace folder stay.
      </p>
    </ConfirmDialog>
  );
}

function OtherContainers({
  list,
  agent,
}: {
  readonly list: readonly Container[];
  readonly agent: WorkspaceAgent;
}): ReactNode {
  return (
    <Table label={`Containers of ${agent.name}`}>
      <HeaderRow>
        <HeaderCell>Container</HeaderCell>
        <HeaderCell className="max-sm:hidden">Image</HeaderCell>
        <HeaderCell className="max-sm:hidden">Status</HeaderCell>
        <HeaderCell className="max-sm:hidden">Ports</HeaderCell>
        <HeaderCell>
          <span className="sr-only">Open</span>
        </HeaderCell>
      </HeaderRow>
      <tbody>
        {list.map((one) => (
          <Row key={one.id}>
            <Cell isText className="font-medium">
              <UntrustedText>{one.name}</UntrustedText>
              <FoldedFacts>
                <UntrustedText>{one.image}</UntrustedText>
                <Status tone={one.running ? "good" : "neutral"}>{untrusted(one.status)}</Status>
                {one.ports.length > 0 && <span>{portsText(one)}</span>}
              </FoldedFacts>
            </Cell>
            <Cell isText className="max-sm:hidden">
              <UntrustedText>{one.image}</UntrustedText>
            </Cell>
            <Cell className="max-sm:hidden">
              <Status tone={one.running ? "good" : "neutral"}>{untrusted(one.status)}</Status>
            </Cell>
            <Cell isText className="max-sm:hidden">
              {portsText(one)}
            </Cell>
            <ActionsCell>
              {one.running && (
                <TerminalLink agent={agent} container={one.id} size="small">
                  Terminal
                </TerminalLink>
              )}
            </ActionsCell>
          </Row>
        ))}
      </tbody>
    </Table>
  );
}

function portsText({ ports }: Container): string {
  if (ports.length === 0) return "–";
  return ports
    .map(({ port, host_port: host, network }) =>
      untrusted(host === undefined ? `${port}/${network}` : `${host} → ${port}/${network}`),
    )
    .join(", ");
}
