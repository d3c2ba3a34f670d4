import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { listRuns, type Run, signalRun, startRun } from "@slipway/api/agents/run-routes";
import { listKeptRuns } from "@slipway/api/workspaces/run-routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Play, SquareTerminal } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";

import { client } from "../../../api/client.ts";
import { refresh, routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { Button } from "../../../ui/button.tsx";
import { errorText } from "../../../ui/error-text.ts";
import { Field, TextInput } from "../../../ui/field.tsx";
import { EmptyState, Panel, Skeleton } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Status } from "../../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../../ui/table.tsx";
import { duration } from "../../../ui/time-text.ts";
import { Time, useNow } from "../../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useChosenAgent } from "../use-chosen-agent.ts";
import { useWorkspace, useWorkspaceParams } from "../use-workspace.tsx";
import { RunOutput } from "./run-output.tsx";
import { runStatus } from "./run-text.ts";

const route = getRouteApi("/member/framed/@{$owner}/$workspace/runs");
/** The interval at which the list is read again, in milliseconds. */
const refetchMs = 10_000;

/** The commands that run in a workspace, whoever started them, with their output. */
export function RunsPage(): ReactNode {
  const { run: chosenId, agent: name } = route.useSearch();
  const { id: workspaceId } = useWorkspace();
  const { agent } = useChosenAgent(name);
  const isConnected = agent?.status === "connected";
  const live = useQuery({
    ...routeQuery(listRuns, { params: { agent: agent?.id ?? "" } }),
    enabled: isConnected,
    refetchInterval: refetchMs,
  });
  const kept = useQuery({
    ...routeQuery(listKeptRuns, { params: { workspace: workspaceId } }),
    enabled: !isConnected,
  });
  const list = isConnected ? live : kept;
  const runs = list.data?.runs;
  const chosen = runs?.find(({ id }) => id === chosenId);
  return (
    <>
      {agent !== undefined && isConnected && <StartForm agent={agent} />}
      {chosenId !== undefined && runs !== undefined && chosen === undefined && (
        <Notice tone="info" title="There is no such run.">
          It may belong to another agent or to an earlier start of the workspace, or be too old to
          be kept.
        </Notice>
      )}
      {chosen !== undefined && agent !== undefined && (
        <Panel
          isFlush
          title={
            <span className="line-clamp-4 font-mono text-sm wrap-anywhere">
              <UntrustedText>{chosen.command}</UntrustedText>
            </span>
          }
          actions={isConnected ? <Signals run={chosen} agent={agent} /> : undefined}
        >
          <RunOutput key={chosen.id} run={chosen} agentId={agent.id} workspaceId={workspaceId} />
        </Panel>
      )}
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {(list.isPending || runs !== undefined) && (
        <Panel title="Runs" isFlush>
          {list.isPending && <Skeleton className="m-4 h-24" />}
          {runs?.length === 0 && (
            <EmptyState icon={<SquareTerminal size={28} />} title="Nothing has been run yet">
              A run is a command that continues without its caller. Start one{" "}
              {isConnected ? "above, with " : "with "}
              <code>slipway exec</code> or from a program; its output is kept here.
            </EmptyState>
          )}
          {runs !== undefined && runs.length > 0 && <RunTable runs={runs} />}
        </Panel>
      )}
    </>
  );
}

function StartForm({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const [command, setCommand] = useState("");
  const navigate = route.useNavigate();
  const cache = useQueryClient();
  const start = useMutation({
    mutationFn: (started: string) =>
      client.call(startRun, {
        params: { agent: agent.id },
        query: { wait_ms: "0" },
        body: { command: started },
      }),
    onSuccess: async ({ run }, started) => {
      setCommand((now) => (now === started ? "" : now));
      await refresh(cache, listRuns);
      await navigate({ search: (search) => ({ ...search, run: run.id }) });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    start.mutate(command);
  };
  return (
    <Panel>
      <form onSubmit={submit} className="flex flex-col gap-3">
        {start.isError && <Notice tone="bad" title={errorText(start.error)} />}
        <Field
          label="Run a command"
          isRequired
          hint="Runs in the shell of the agent’s user, and continues if you leave this page."
        >
          {(ids) => (
            <div className="flex gap-2">
              <TextInput
                {...ids}
                placeholder="make test"
                autoComplete="off"
                spellCheck={false}
                value={command}
                onValue={setCommand}
              />
              <Button
                type="submit"
                icon={<Play aria-hidden size={14} />}
                isBusy={start.isPending}
                disabledReason={command.trim() === "" ? "Enter a command" : undefined}
              >
                Run
              </Button>
            </div>
          )}
        </Field>
      </form>
    </Panel>
  );
}

function Signals({ run, agent }: { readonly run: Run; readonly agent: WorkspaceAgent }): ReactNode {
  const cache = useQueryClient();
  const send = useMutation({
    mutationFn: (signal: string) =>
      client.call(signalRun, {
        params: { agent: agent.id, run: run.id },
        body: { signal, instance_id: run.instance_id },
      }),
    onSettled: () => refresh(cache, listRuns),
  });
  const refusal = run.status === "running" ? undefined : "It has ended";
  return (
    <div className="flex items-center gap-2">
      {send.isError && <span className="text-sm text-bad">{errorText(send.error)}</span>}
      <Button
        size="small"
        isBusy={send.isPending && send.variables === "SIGINT"}
        disabledReason={refusal}
        onClick={() => send.mutate("SIGINT")}
      >
        Interrupt
      </Button>
      <Button
        size="small"
        isBusy={send.isPending && send.variables === "SIGKILL"}
        disabledReason={refusal}
        onClick={() => send.mutate("SIGKILL")}
      >
        Kill
      </Button>
    </div>
  );
}

function RunTable({ runs }: { readonly runs: readonly Run[] }): ReactNode {
  const params = useWorkspaceParams();
  const now = useNow(refetchMs);
  return (
    <Table label="Runs">
      <HeaderRow>
        <HeaderCell>Command</HeaderCell>
        <HeaderCell>Status</HeaderCell>
        <HeaderCell>User</HeaderCell>
        <HeaderCell>Started</HeaderCell>
        <HeaderCell>Took</HeaderCell>
      </HeaderRow>
      <tbody>
        {runs.map((run) => {
          const { tone, text } = runStatus(run);
          const endMs = run.exited_at === null ? now.getTime() : Date.parse(run.exited_at);
          return (
            <Row key={run.id}>
              <Cell className="max-w-44 font-mono text-xs sm:max-w-md">
                <Link
                  to="/@{$owner}/$workspace/runs"
                  params={params}
                  search={(search) => ({ ...search, run: run.id })}
                  className="block truncate text-accent hover:underline"
                >
                  <UntrustedText>{run.command}</UntrustedText>
                </Link>
              </Cell>
              <Cell>
                <Status tone={tone}>{untrusted(text)}</Status>
              </Cell>
              <Cell>
                <UntrustedText>{run.user}</UntrustedText>
              </Cell>
              <Cell>
                <Time time={run.started_at} />
              </Cell>
              <Cell>{duration(endMs - Date.parse(run.started_at))}</Cell>
            </Row>
          );
        })}
      </tbody>
    </Table>
  );
}
