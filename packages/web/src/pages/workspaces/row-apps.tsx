import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceApp } from "@slipway/api/agents/app";
import { type AppPlace, appUrl } from "@slipway/api/workspaces/app-url";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { AppWindow, SquareTerminal } from "lucide-react";
import type { ReactNode } from "react";

import { webAddress } from "../../components/web-address.ts";
import { agentsOf } from "../../components/workspaces/agents.ts";
import { workspacePath } from "../../components/workspaces/workspace-address.ts";
import { buttonClasses } from "../../ui/button.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { useListViewer } from "./list-viewer.ts";

/** The number of apps that a row has room for. */
const maxShown = 3;

/** The terminal and the first apps of a running workspace. */
export function RowApps({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const { region } = useListViewer();
  if (workspace.latest_build.status !== "running") return null;
  const agents = agentsOf(workspace.latest_build).filter(({ status }) => status === "connected");
  const apps = agents.flatMap((agent) => linksOf(agent, { workspace, region })).slice(0, maxShown);
  const terminal = agents.find(({ display_apps }) => display_apps.includes("web_terminal"));
  return (
    <div className="flex gap-1">
      {terminal !== undefined && (
        <AppLink
          href={`${workspacePath(workspace, terminal.name)}/terminal`}
          label={`Terminal of ${workspace.name}`}
        >
          <SquareTerminal aria-hidden size={15} />
        </AppLink>
      )}
      {apps.map(({ app, href }) => (
        <AppLink key={app.id} href={href} label={app.display_name ?? app.slug}>
          {/* Icons of other hosts would tell them who looks at the list. */}
          <AppWindow aria-hidden size={15} />
        </AppLink>
      ))}
    </div>
  );
}

interface AppTarget {
  readonly app: WorkspaceApp;
  readonly href: string;
}

function linksOf(agent: WorkspaceAgent, place: AppPlace): readonly AppTarget[] {
  return agent.apps
    .filter(({ hidden }) => !hidden)
    .flatMap((app) => {
      const href = webAddress(appUrl(app, agent.name, place) ?? "", location.origin);
      return href === undefined ? [] : [{ app, href }];
    });
}

interface AppLinkProps {
  readonly href: string;
  readonly label: string;
  readonly children: ReactNode;
}

function AppLink({ href, label, children }: AppLinkProps): ReactNode {
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      aria-label={untrusted(label)}
      title={untrusted(label)}
      className={buttonClasses("secondary", "small")}
    >
      {children}
    </a>
  );
}
