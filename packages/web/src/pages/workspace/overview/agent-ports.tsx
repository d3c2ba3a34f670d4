import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { SharingLevel } from "@slipway/api/agents/app";
import { getListeningPorts } from "@slipway/api/agents/listening-port-routes";
import { getTemplate } from "@slipway/api/templates/routes";
import { portUrl } from "@slipway/api/workspaces/app-url";
import {
  listPortShares,
  maxSharedPort,
  minSharedPort,
  sharePort,
  unsharePort,
} from "@slipway/api/workspaces/port-share-routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ExternalLink, Network } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../../api/client.ts";
import { ensureGone } from "../../../api/ensure.ts";
import { refresh, routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { Button, buttonClasses } from "../../../ui/button.tsx";
import { errorText } from "../../../ui/error-text.ts";
import { Field, Select, TextInput } from "../../../ui/field.tsx";
import { EmptyState, Skeleton } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { ActionsCell, Cell, HeaderCell, HeaderRow, Row, Table } from "../../../ui/table.tsx";
import { UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspace } from "../use-workspace.tsx";
import { agentPorts, type AgentPort, allowedLevels } from "./port-list.ts";
import { useAppPlace } from "./use-app-place.ts";

/** The interval at which the ports are read again, in milliseconds. */
const refetchMs = 10_000;

const levelTexts: Readonly<Record<SharingLevel, string>> = {
  owner: "Only the owner",
  authenticated: "Everyone who is logged in",
  organization: "The organization",
  public: "Everyone",
};

/** The ports that programs of a workspace listen on, and those that are shared. */
export function AgentPorts({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const { id, template_id: template } = useWorkspace();
  const isConnected = agent.status === "connected";
  const listening = useQuery({
    ...routeQuery(getListeningPorts, { params: { agent: agent.id } }),
    enabled: isConnected,
    refetchInterval: refetchMs,
  });
  const shares = useQuery(routeQuery(listPortShares, { params: { workspace: id } }));
  const rules = useQuery(routeQuery(getTemplate, { params: { template } }));
  const failed = [listening, shares].filter(({ isError }) => isError);
  if (failed[0] !== undefined) {
    return (
      <div className="p-4">
        <FailureNotice
          error={failed[0].error}
          onRetry={() => failed.forEach((one) => void one.refetch())}
        />
      </div>
    );
  }
  if (shares.data === undefined || (isConnected && listening.data === undefined)) {
    return <Skeleton className="m-4 h-24" />;
  }
  const ports = agentPorts(listening.data?.ports ?? [], shares.data.shares, agent.name);
  const levels = allowedLevels(rules.data?.max_port_share_level ?? "public");
  return (
    <>
      {ports.length === 0 ? (
        <EmptyState icon={<Network size={28} />} title="No listening ports">
          Start a server in the workspace, such as <code>python3 -m http.server 8000</code>: it
          appears here within ten seconds, and can be opened and shared.
        </EmptyState>
      ) : (
        <Table label={`Ports of ${agent.name}`}>
          <HeaderRow>
            <HeaderCell>Port</HeaderCell>
            <HeaderCell className="max-sm:hidden">Program</HeaderCell>
            <HeaderCell>For</HeaderCell>
            <HeaderCell>
              <span className="sr-only">Open</span>
            </HeaderCell>
          </HeaderRow>
          <tbody>
            {ports.map((port) => (
              <PortRow key={port.port} port={port} agent={agent} levels={levels} />
            ))}
          </tbody>
        </Table>
      )}
      <div className="border-t border-line p-4">
        <ShareForm agent={agent} levels={levels} />
      </div>
    </>
  );
}

interface PortRowProps {
  readonly port: AgentPort;
  readonly agent: WorkspaceAgent;
  readonly levels: readonly SharingLevel[];
}

function PortRow({
  port: { port, program, level, protocol },
  agent,
  levels,
}: PortRowProps): ReactNode {
  const share = useShare(agent);
  const place = useAppPlace();
  const url = portUrl({ agent_name: agent.name, port, protocol }, place);
  return (
    <Row>
      <Cell className="font-medium">{port}</Cell>
      <Cell isText className="max-sm:hidden">
        {program === undefined ? (
          <span className="text-ink-soft">not listening</span>
        ) : (
          <UntrustedText>{program === "" ? "unknown" : program}</UntrustedText>
        )}
      </Cell>
      <Cell>
        <div className="w-36 sm:w-44">
          <Select
            aria-label={`Who may open port ${String(port)}`}
            value={level}
            disabled={share.isPending}
            onValue={(wanted) => share.mutate({ port, protocol, level: readLevel(wanted) })}
          >
            {levels.map((one) => (
              <option key={one} value={one}>
                {levelTexts[one]}
              </option>
            ))}
          </Select>
        </div>
        {share.isError && <p className="mt-1 text-bad">{errorText(share.error)}</p>}
      </Cell>
      <ActionsCell>
        {url === undefined ? (
          <Button
            size="small"
            disabledReason={
              place.region.wildcard_hostname === ""
                ? "Ports need their own host names: the server has no SLIPWAY_WILDCARD_ACCESS_URL. Use slipway port-forward"
                : "Ports below 1000 have no address: use slipway port-forward"
            }
          >
            Open
          </Button>
        ) : (
          <a
            href={url}
            target="_blank"
            rel="noreferrer"
            className={buttonClasses("secondary", "small")}
          >
            <ExternalLink aria-hidden size={14} />
            Open<span className="sr-only"> port {port}</span>
          </a>
        )}
      </ActionsCell>
    </Row>
  );
}

function readLevel(text: string): SharingLevel {
  return text === "authenticated" || text === "organization" || text === "public" ? text : "owner";
}

interface NewShare {
  readonly port: number;
  readonly protocol: AgentPort["protocol"];
  readonly level: SharingLevel;
}

function useShare({ name }: WorkspaceAgent) {
  const { id } = useWorkspace();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ port, protocol, level }: NewShare) => {
      const params = { workspace: id };
      const body = { agent_name: name, port };
      if (level === "owner") await ensureGone(client.call(unsharePort, { params, body }));
      else
        await client.call(sharePort, { params, body: { ...body, share_level: level, protocol } });
    },
    onSettled: () => refresh(cache, listPortShares),
  });
}

/** Shares a port before anything listens on it. */
function ShareForm({
  agent,
  levels,
}: {
  readonly agent: WorkspaceAgent;
  readonly levels: readonly SharingLevel[];
}): ReactNode {
  const share = useShare(agent);
  const [port, setPort] = useState("");
  const [level, setLevel] = useState<SharingLevel>("authenticated");
  const [protocol, setProtocol] = useState<AgentPort["protocol"]>("http");
  const shareable = levels.filter((one) => one !== "owner");
  if (shareable.length === 0) {
    return (
      <p className="text-sm text-ink-soft">
        The template does not allow ports to be shared: only the owner can open them.
      </p>
    );
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    share.mutate(
      { port: Number(port), protocol, level },
      { onSuccess: () => setPort((now) => (now === port ? "" : now)) },
    );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <div className="flex flex-wrap items-end gap-3">
        <div className="w-28">
          <Field label="Share port" isRequired>
            {(ids) => (
              <TextInput
                {...ids}
                type="number"
                min={minSharedPort}
                max={maxSharedPort}
                value={port}
                onValue={setPort}
              />
            )}
          </Field>
        </div>
        <div className="w-32">
          <Field label="Protocol" isRequired>
            {(ids) => (
              <Select
                {...ids}
                value={protocol}
                onValue={(value) => setProtocol(value === "https" ? "https" : "http")}
              >
                <option value="http">HTTP</option>
                <option value="https">HTTPS</option>
              </Select>
            )}
          </Field>
        </div>
        <div className="w-56">
          <Field label="With" isRequired>
            {(ids) => (
              <Select {...ids} value={level} onValue={(value) => setLevel(readLevel(value))}>
                {shareable.map((one) => (
                  <option key={one} value={one}>
                    {levelTexts[one]}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <Button type="submit" isBusy={share.isPending}>
          Share
        </Button>
      </div>
      {level === "public" && (
        <p className="text-sm text-warn">
          Anyone who knows its address can open it without logging in.
        </p>
      )}
      {share.isError && <Notice tone="bad" title={errorText(share.error)} />}
    </form>
  );
}
