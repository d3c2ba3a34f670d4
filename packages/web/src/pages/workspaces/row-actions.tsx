import {
  favoriteWorkspace,
  listWorkspaces,
  unfavoriteWorkspace,
} from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQueryClient } from "@tanstack/react-query";
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
import { lazy, type ReactNode, Suspense, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh } from "../../api/queries.ts";
import { actionRefusal, type WorkspaceAction } from "../../components/workspaces/action-refusal.ts";
import { agentsOf } from "../../components/workspaces/agents.ts";
import { workspacePath } from "../../components/workspaces/workspace-address.ts";
import { IconButton } from "../../ui/button.tsx";
import { errorText } from "../../ui/error-text.ts";
import { Menu, type MenuEntry } from "../../ui/menu.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { changeRefusal } from "./change-refusal.ts";
import { useListViewer } from "./list-viewer.ts";

// Loaded with the first action: its forms are large.
const ActionDialog = lazy(async () => ({
  default: (await import("../../components/workspaces/action-dialog.tsx")).ActionDialog,
}));

/** The actions on a workspace of the list. */
export function RowActions({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const [asked, setAsked] = useState<WorkspaceAction>();
  const refusal = useRefusal(workspace);
  const favor = useFavor(workspace);
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
    onSelect: () => setAsked(action),
    ...more,
  });
  return (
    <>
      {isStopped ? (
        <IconButton
          label={`Start ${name}`}
          icon={<Play aria-hidden size={15} />}
          disabledReason={refusal("start")}
          onClick={() => setAsked("start")}
        />
      ) : (
        <IconButton
          label={`Stop ${name}`}
          icon={<Square aria-hidden size={15} />}
          disabledReason={refusal("stop")}
          onClick={() => setAsked("stop")}
        />
      )}
      <Menu
        trigger={
          <IconButton label={`Actions for ${name}`} icon={<Ellipsis aria-hidden size={16} />} />
        }
        entries={() => [
          terminalEntry(workspace),
          favor,
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
      {asked !== undefined && (
        <Suspense>
          <ActionDialog action={asked} workspace={workspace} onClose={() => setAsked(undefined)} />
        </Suspense>
      )}
    </>
  );
}

/** Returns a function that says why an action on a workspace is impossible now. */
function useRefusal(workspace: Workspace): (action: WorkspaceAction) => string | undefined {
  const { me, mayWriteTemplates } = useListViewer();
  return (action) =>
    changeRefusal(workspace, me) ?? actionRefusal(action, workspace, { mayWriteTemplates });
}

function useFavor(workspace: Workspace): MenuEntry {
  const { me } = useListViewer();
  const cache = useQueryClient();
  const toaster = useToaster();
  const change = async (): Promise<void> => {
    const route = workspace.favorite ? unfavoriteWorkspace : favoriteWorkspace;
    try {
      await client.call(route, { params: { workspace: workspace.id } });
      await refresh(cache, listWorkspaces);
    } catch (error) {
      toaster.fail(errorText(error));
    }
  };
  return {
    label: workspace.favorite ? "Remove from favorites" : "Add to favorites",
    icon: <Star size={15} />,
    disabledReason: changeRefusal(workspace, me),
    onSelect: () => void change(),
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
