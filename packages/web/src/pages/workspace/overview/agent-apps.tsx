import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { AppHealth, SharingLevel, WorkspaceApp } from "@slipway/api/agents/app";
import { appUrl, isCommandApp } from "@slipway/api/workspaces/app-url";
import { AppWindow, Code, SquareTerminal } from "lucide-react";
import type { ReactNode } from "react";

import { Button, buttonClasses } from "../../../ui/button.tsx";
import { CopyButton } from "../../../ui/copy.tsx";
import { Badge, Status, type Tone } from "../../../ui/status.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { TerminalLink } from "./terminal-link.tsx";
import { useAppPlace } from "./use-app-place.ts";
import { EditorButton } from "./ways-to-connect.tsx";

/** The ways to open an agent: a terminal, an editor, and its applications. */
export function AgentApps({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const { apps, display_apps: displayed } = agent;
  const shown = apps.filter(({ hidden }) => !hidden);
  return (
    <div className="flex flex-col gap-4 p-4">
      <div className="flex flex-wrap gap-2">
        {displayed.includes("web_terminal") && (
          <TerminalLink agent={agent} look="secondary">
            <SquareTerminal aria-hidden size={15} />
            Terminal
          </TerminalLink>
        )}
        {displayed.includes("vscode") && (
          <EditorButton agent={agent} scheme="vscode" icon={<Code aria-hidden size={15} />}>
            VS Code
          </EditorButton>
        )}
        {displayed.includes("vscode_insiders") && (
          <EditorButton
            agent={agent}
            scheme="vscode-insiders"
            icon={<Code aria-hidden size={15} />}
          >
            VS Code Insiders
          </EditorButton>
        )}
      </div>
      {shown.length > 0 && (
        <ul className="grid gap-2 sm:grid-cols-2">
          {shown.map((app) => (
            <AppItem key={app.id} app={app} agent={agent} />
          ))}
        </ul>
      )}
    </div>
  );
}

const healths: Readonly<
  Record<Exclude<AppHealth, "disabled">, { readonly tone: Tone; readonly text: string }>
> = {
  initializing: { tone: "active", text: "Starting" },
  healthy: { tone: "good", text: "Healthy" },
  unhealthy: { tone: "bad", text: "Does not answer" },
};

const sharingTexts: Readonly<Record<Exclude<SharingLevel, "owner">, string>> = {
  authenticated: "Shared with every user",
  organization: "Shared with the organization",
  public: "Public: no login needed",
};

const statusTexts: Readonly<Record<WorkspaceApp["statuses"][number]["state"], string>> = {
  working: "Working",
  idle: "Idle",
  complete: "Done",
  failure: "Failed",
};

interface AppItemProps {
  readonly app: WorkspaceApp;
  readonly agent: WorkspaceAgent;
}

function AppItem({ app, agent }: AppItemProps): ReactNode {
  const status = app.statuses[0];
  return (
    <li className="flex min-w-0 flex-col gap-1 rounded-md border border-line p-3">
      <div className="flex items-center justify-between gap-3">
        <div className="min-w-0">
          <p className="truncate font-medium" title={untrusted(app.tooltip ?? "")}>
            <UntrustedText>{nameOf(app)}</UntrustedText>
          </p>
          <div className="flex flex-wrap items-center gap-2 text-xs text-ink-soft">
            {app.health !== "disabled" && (
              <Status tone={healths[app.health].tone}>{healths[app.health].text}</Status>
            )}
            {!app.external && app.sharing_level !== "owner" && (
              <Badge tone={app.sharing_level === "public" ? "warn" : "neutral"}>
                {sharingTexts[app.sharing_level]}
              </Badge>
            )}
            {app.group !== undefined && app.group !== "" && (
              <UntrustedText>{app.group}</UntrustedText>
            )}
          </div>
        </div>
        <AppButton app={app} agent={agent} />
      </div>
      {status !== undefined && (
        <p className="text-xs text-ink-soft wrap-anywhere">
          {statusTexts[status.state]}: <UntrustedText>{status.message}</UntrustedText>
        </p>
      )}
    </li>
  );
}

function AppButton({ app, agent }: AppItemProps): ReactNode {
  const place = useAppPlace();
  const url = appUrl(app, agent.name, place);
  const icon = isCommandApp(app) ? (
    <SquareTerminal aria-hidden size={14} />
  ) : (
    <AppWindow aria-hidden size={14} />
  );
  const refusal = openRefusal(app, agent, url);
  if (url === undefined || refusal !== undefined) {
    return (
      <span className="flex items-center gap-1">
        {app.external && url !== undefined && <CopyButton text={url} label="Copy address" />}
        <Button size="small" icon={icon} disabledReason={refusal ?? "It has no address"}>
          Open
        </Button>
      </span>
    );
  }
  return (
    <a
      href={url}
      target="_blank"
      rel="noreferrer"
      aria-label={`Open ${untrusted(nameOf(app))}`}
      className={buttonClasses("secondary", "small")}
    >
      {icon}
      Open
    </a>
  );
}

function openRefusal(
  app: WorkspaceApp,
  { status }: WorkspaceAgent,
  url: string | undefined,
): string | undefined {
  if (url === undefined) {
    return app.external
      ? "The template sets no address for it"
      : "It needs its own host name: the server has no SLIPWAY_WILDCARD_ACCESS_URL";
  }
  if (app.external) {
    return /^https?:\/\//i.test(url)
      ? undefined
      : "Its address opens another program: copy it instead";
  }
  return status === "connected" ? undefined : "Its agent is not connected";
}

function nameOf({ display_name: name, slug }: WorkspaceApp): string {
  return name === undefined || name === "" ? slug : name;
}
