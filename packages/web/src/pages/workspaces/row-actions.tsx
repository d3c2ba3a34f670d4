import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  CircleX,
  Ellipsis,
  Play,
  RefreshCw,
  RotateCw,
  Square,
  SquareTerminal,
  Star,
  Trash2,
} from "lucide-react";
import type { ReactNode } from "react";

import { actionRefusal, type WorkspaceAction } from "../../components/workspaces/action-refusal.ts";
import { agentsOf } from "../../components/workspaces/agents.ts";
import { changeRefusal, favorRefusal } from "../../components/workspaces/change-refusal.ts";
import { workspacePath } from "../../components/workspaces/workspace-address.ts";
import { IconButton } from "../../ui/button.tsx";
import { Menu, type MenuEntry } from "../../ui/menu.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { type ListViewer, useListViewer } from "./list-viewer.ts";

/** The actions on a workspace of the list. */
export function RowActions({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const viewer = useListViewer();
  const ask = (action: WorkspaceAction): void => viewer.ask({ action, workspace });
  const refusal = (action: WorkspaceAction): string | undefined =>
    changeRefusal(workspace, viewer.me) ?? actionRefusal(action, workspace, viewer);
  const name = untrusted(workspace.name);
  const isStopped = ["stopped", "failed", "canceled"].includes(workspace.latest_build.status);
  const entry = (
    action: WorkspaceAction,
    label: string,
    icon: ReactNode,
    more: Partial<MenuEntry> = {},
  ): MenuEntry => ({
    label,
    icon,
    disabledReason: refusal(action),
    onSelect: () => ask(action),
    ...more,
  });
  return (
    <>
      {isStopped ? (
        <IconButton
          label={`Start ${name}`}
          icon={<Play aria-hidden size={15} />}
          disabledReason={refusal("start")}
          onClick={() => ask("start")}
        />
      ) : (
        <IconButton
          label={`Stop ${name}`}
          icon={<Square aria-hidden size={15} />}
          disabledReason={refusal("stop")}
          onClick={() => ask("stop")}
        />
      )}
      <Menu
        trigger={
          <IconButton label={`Actions for ${name}`} icon={<Ellipsis aria-hidden size={16} />} />
        }
        entries={() => [
          terminalEntry(workspace),
          favorEntry(workspace, viewer),
          entry("start", "Start", <Play size={15} />, { startsGroup: true }),
          entry("stop", "Stop", <Square size={15} />),
          entry("restart", "Restart", <RotateCw size={15} />),
          entry("update", "Update", <RefreshCw size={15} />),
          entry("cancel", "Cancel build", <CircleX size={15} />),
          entry("delete", "Delete", <Trash2 size={15} />, {
            startsGroup: true,
            isDangerous: true,
          }),
        ]}
      />
    </>
  );
}

function favorEntry(workspace: Workspace, { me, favor }: ListViewer): MenuEntry {
  return {
    label: workspace.favorite ? "Remove from favorites" : "Add to favorites",
    icon: <Star size={15} />,
    disabledReason: favorRefusal(workspace, me),
    onSelect: () => favor(workspace, !workspace.favorite),
  };
}

function terminalEntry(workspace: Workspace): MenuEntry {
  const agent = agentsOf(workspace.latest_build).find(({ status }) => status === "connected");
  const path = workspacePath(workspace, agent?.name);
  return {
    label: "Open terminal",
    icon: <SquareTerminal size={15} />,
    disabledReason: agent === undefined ? "No agent is connected" : undefined,
    onSelect: () => void window.open(`${path}/terminal`, "_blank", "noreferrer"),
  };
}
