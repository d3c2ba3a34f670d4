import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { type OpenTerminalLink, randomId } from "@slipway/sdk/terminal";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, Search, Share2, X } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";

import { client } from "../../api/client.ts";
import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Mark } from "../../components/shell/logo.tsx";
import { agentsOf } from "../../components/workspaces/agents.ts";
import { MissingWorkspace } from "../../components/workspaces/missing-workspace.tsx";
import { parseWorkspaceAddress } from "../../components/workspaces/workspace-address.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { classNames } from "../../ui/class-names.ts";
import { Notice } from "../../ui/notice.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { allowCommand, isAllowedCommand } from "./allowed-command.ts";
import { FontMenu } from "./font-menu.tsx";
import { useFontsReady } from "./font-settings.ts";
import { maxTabs } from "./routes.tsx";
import { AskCommandDialog, OpenLinkDialog, ShareDialog } from "./terminal-dialogs.tsx";
import { leaveKeys, TerminalScreen } from "./terminal-screen.tsx";
import type { TerminalProgram } from "./terminal-session.ts";
import { type TerminalWay, terminalWays } from "./terminal-ways.ts";
import { WayLock } from "./way-lock.tsx";

const route = getRouteApi("/member/@{$owner}/$workspace/terminal");

/** The terminals of a workspace, each a tab of the page; they go on when it is closed. */
export function TerminalPage(): ReactNode {
  const { owner, workspace: reference } = route.useParams();
  const { name, agent: agentName } = parseWorkspaceAddress(reference);
  const params = { user: owner, name };
  const workspace = useQuery(routeQuery(getWorkspaceByName, { params }));
  useEffect(() => {
    document.title = `${untrusted(name)} · Terminal · Slipway`;
  }, [name]);
  if (workspace.isError) {
    return (
      <main className="mx-auto max-w-3xl p-4">
        <FailureNotice
          error={workspace.error}
          onRetry={() => void workspace.refetch()}
          missing={<MissingWorkspace owner={owner} name={name} />}
        />
      </main>
    );
  }
  if (workspace.data === undefined) return <main aria-busy className="h-dvh" />;
  const agent = agentsOf(workspace.data.latest_build).find((one) =>
    agentName === undefined ? one.parent_id === null : one.name === agentName,
  );
  if (agent === undefined) {
    return <NoAgent workspace={workspace.data} onRetry={() => void workspace.refetch()} />;
  }
  return <Terminals workspace={workspace.data} agentId={agent.id} />;
}

function NoAgent({
  workspace,
  onRetry,
}: {
  readonly workspace: Workspace;
  readonly onRetry: () => void;
}): ReactNode {
  return (
    <main className="mx-auto max-w-xl p-6">
      <Notice
        tone="warn"
        title={`${untrusted(workspace.name)} has no agent to connect to.`}
        action={<Button onClick={onRetry}>Try again</Button>}
      >
        {workspace.latest_build.status === "running"
          ? "Check the name of the agent in the address."
          : "Start the workspace to open a terminal."}
      </Notice>
    </main>
  );
}

interface TerminalsProps {
  readonly workspace: Workspace;
  readonly agentId: string;
}

function Terminals({ workspace, agentId }: TerminalsProps): ReactNode {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { reconnect, command } = search;
  const ids = search.tabs ?? (reconnect === undefined ? [] : [reconnect]);
  const shown = reconnect ?? ids[0];
  const [isAllowed, setAllowed] = useState(
    () => command === undefined || isAllowedCommand(command),
  );
  const [titles, setTitles] = useState<Readonly<Record<string, string>>>({});
  const [way, setWay] = useState<TerminalWay>();
  const [dialog, setDialog] = useState<{ kind: "share" } | { kind: "link"; url: string }>();
  const [isSearching, setSearching] = useState(false);
  const tabs = useRef<HTMLUListElement>(null);
  const openLink = useWays(agentId, setWay);
  const areFontsReady = useFontsReady();
  const program = useProgram(search);

  const show = (next: readonly string[], id: string | undefined): void => {
    void navigate({
      replace: true,
      search: {
        ...search,
        ...(id === undefined ? {} : { reconnect: id }),
        tabs: [...next],
      },
    });
  };
  const add = (): void => {
    const id = randomId();
    show([...ids, id], id);
  };
  const remove = (id: string): void => {
    const rest = ids.filter((one) => one !== id);
    if (rest.length === 0) {
      const fresh = randomId();
      show([fresh], fresh);
    } else show(rest, id === shown ? rest.at(-1) : shown);
  };
  const renew = (id: string): void => {
    const fresh = randomId();
    show(
      ids.map((one) => (one === id ? fresh : one)),
      fresh,
    );
  };
  useEffect(() => {
    if (ids.length === 0) add();
  });

  if (command !== undefined && !isAllowed) {
    return (
      <AskCommandDialog
        command={command}
        workspace={workspace}
        onRun={() => {
          allowCommand(command);
          setAllowed(true);
        }}
        onRefuse={() => {
          const { command: _left, ...rest } = search;
          void navigate({ replace: true, search: rest });
        }}
      />
    );
  }
  return (
    <main className="flex h-dvh flex-col bg-terminal">
      <h1 className="sr-only">Terminal</h1>
      <div className="flex h-11 shrink-0 items-center gap-1 border-b border-line bg-surface px-2">
        <Link
          to="/workspaces"
          title="Workspaces"
          className="mr-1 flex max-w-40 items-center gap-2 rounded-md px-1 text-sm font-medium"
        >
          <Mark />
          <span className="hidden truncate sm:inline">
            <UntrustedText>{workspace.name}</UntrustedText>
          </span>
        </Link>
        <ul ref={tabs} aria-label="Terminals" className="flex min-w-0 overflow-x-auto">
          {ids.map((id, index) => (
            <TerminalTab
              key={id}
              title={titles[id] ?? `Terminal ${index + 1}`}
              isShown={id === shown}
              onShow={() => show(ids, id)}
              onClose={() => remove(id)}
            />
          ))}
        </ul>
        <IconButton
          label="New terminal"
          icon={<Plus aria-hidden size={16} />}
          disabledReason={
            ids.length < maxTabs ? undefined : `A page has at most ${maxTabs} terminals`
          }
          onClick={add}
        />
        <span className="flex-1" />
        <span id="terminal-keys" className="hidden px-2 text-xs text-ink-faint lg:inline">
          {leaveKeys} leaves the terminal
        </span>
        <WayLock way={way} />
        <IconButton
          label="Find"
          icon={<Search aria-hidden size={16} />}
          aria-pressed={isSearching}
          onClick={() => setSearching(!isSearching)}
        />
        <FontMenu />
        <IconButton
          label="Share this terminal"
          icon={<Share2 aria-hidden size={16} />}
          onClick={() => setDialog({ kind: "share" })}
        />
      </div>
      {openLink !== undefined &&
        areFontsReady &&
        ids.map((id) => (
          <TerminalScreen
            key={id}
            agentId={agentId}
            terminalId={id}
            program={program}
            openLink={openLink}
            isShown={id === shown}
            isSearching={isSearching && id === shown}
            onSearchEnd={() => setSearching(false)}
            onTitle={(title) => setTitles((all) => ({ ...all, [id]: title }))}
            onLink={(url) => setDialog({ kind: "link", url })}
            onNewTerminal={() => renew(id)}
            onLeave={() => tabs.current?.querySelector<HTMLElement>("[aria-current]")?.focus()}
          />
        ))}
      {dialog?.kind === "share" && shown !== undefined && (
        <ShareDialog
          workspace={workspace}
          terminalId={shown}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog?.kind === "link" && (
        <OpenLinkDialog url={dialog.url} onClose={() => setDialog(undefined)} />
      )}
    </main>
  );
}

/** Returns the ways to the terminals of an agent, which the page shares and closes; undefined before the first effect. */
function useWays(agentId: string, onWay: (way: TerminalWay) => void): OpenTerminalLink | undefined {
  const [ways, setWays] = useState<{ readonly open: OpenTerminalLink }>();
  useEffect(() => {
    const closed = new AbortController();
    setWays({ open: terminalWays({ client, agentId, onWay, signal: closed.signal }) });
    return () => closed.abort();
  }, [agentId, onWay]);
  return ways?.open;
}

function useProgram({
  command,
  container,
  container_user: containerUser,
}: ReturnType<typeof route.useSearch>): TerminalProgram {
  return useMemo(
    () => ({ command, container, containerUser }),
    [command, container, containerUser],
  );
}

interface TerminalTabProps {
  readonly title: string;
  readonly isShown: boolean;
  readonly onShow: () => void;
  readonly onClose: () => void;
}

function TerminalTab({ title, isShown, onShow, onClose }: TerminalTabProps): ReactNode {
  return (
    <li
      className={classNames(
        "flex max-w-48 min-w-24 shrink-0 items-center rounded-md text-sm",
        isShown ? "bg-accent-soft text-accent" : "text-ink-soft hover:bg-hover",
      )}
    >
      <button
        type="button"
        aria-current={isShown || undefined}
        onClick={onShow}
        className="min-w-0 flex-1 truncate py-1.5 pl-2.5 text-left"
      >
        <UntrustedText>{title}</UntrustedText>
      </button>
      <IconButton
        size="small"
        label={`Close ${untrusted(title)}`}
        icon={<X aria-hidden size={13} />}
        onClick={onClose}
      />
    </li>
  );
}
