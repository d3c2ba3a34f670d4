import {
  favoriteWorkspace,
  getWorkspaceByName,
  listWorkspaces,
  unfavoriteWorkspace,
} from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import {
  CircleArrowUp,
  Ellipsis,
  OctagonX,
  Play,
  RotateCw,
  Square,
  Star,
  Trash2,
} from "lucide-react";
import { type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh } from "../../api/queries.ts";
import { useMe, useRights } from "../../api/session.ts";
import { ActionDialog } from "../../components/workspaces/action-dialog.tsx";
import {
  actionRefusal,
  isBuilding,
  type WorkspaceAction,
} from "../../components/workspaces/action-refusal.ts";
import { changeRefusal } from "../../components/workspaces/change-refusal.ts";
import { workspaceStatus } from "../../components/workspaces/workspace-status.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { PageHeader } from "../../ui/layout.tsx";
import { Menu } from "../../ui/menu.tsx";
import { Badge, Status } from "../../ui/status.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

/** The name and state of a workspace, and what can be done with it. */
export function WorkspaceHeader({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const { latest_build: build } = workspace;
  const { text, tone } = workspaceStatus(workspace);
  const me = useMe();
  const template = workspace.template_display_name || workspace.template_name;
  return (
    <PageHeader
      title={
        <span className="inline-flex items-center gap-1">
          <UntrustedText>{workspace.name}</UntrustedText>
          {workspace.owner_id === me.id && <FavoriteButton workspace={workspace} />}
        </span>
      }
      actions={<WorkspaceActions workspace={workspace} />}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Status tone={tone}>{text}</Status>
        <span>
          <UntrustedText>{workspace.owner_name}</UntrustedText>
        </span>
        <span>
          <UntrustedText>{template}</UntrustedText>,{" "}
          <UntrustedText>{build.template_version_name}</UntrustedText>
        </span>
        {workspace.outdated && <Badge tone="warn">Update available</Badge>}
        {workspace.is_prebuild && <Badge>Prebuild</Badge>}
      </div>
    </PageHeader>
  );
}

function FavoriteButton({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const { id, favorite } = workspace;
  const toggle = useMutation({
    mutationFn: () =>
      client.call(favorite ? unfavoriteWorkspace : favoriteWorkspace, {
        params: { workspace: id },
      }),
    onSuccess: () => refresh(cache, getWorkspaceByName, listWorkspaces),
    onError: (error) => toaster.fail(`Could not change the favorites: ${error.message}`),
  });
  return (
    <IconButton
      size="small"
      label={favorite ? "Remove from favorites" : "Add to favorites"}
      aria-pressed={favorite}
      icon={
        <Star aria-hidden size={16} className={favorite ? "fill-current text-warn" : undefined} />
      }
      onClick={() => toggle.mutate()}
    />
  );
}

function WorkspaceActions({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const [asked, setAsked] = useState<WorkspaceAction>();
  const me = useMe();
  const rights = useRights();
  const { status } = workspace.latest_build;
  if (status === "deleted") return null;
  // Owners may stop and delete prebuilds.
  const forOthers = workspace.is_prebuild ? undefined : changeRefusal(workspace, me);
  const refusal = (action: WorkspaceAction): string | undefined =>
    forOthers ?? actionRefusal(action, workspace, { mayWriteTemplates: rights.createTemplates });
  const isStarted = status === "running";
  const main = isStarted ? "stop" : "start";
  return (
    <>
      {isBuilding(status) ? (
        <Button
          icon={<OctagonX aria-hidden size={14} />}
          disabledReason={refusal("cancel")}
          onClick={() => setAsked("cancel")}
        >
          Cancel build
        </Button>
      ) : (
        <Button
          look={isStarted ? "secondary" : "primary"}
          icon={isStarted ? <Square aria-hidden size={14} /> : <Play aria-hidden size={14} />}
          disabledReason={refusal(main)}
          onClick={() => setAsked(main)}
        >
          {isStarted ? "Stop" : "Start"}
        </Button>
      )}
      {workspace.outdated && (
        <Button
          icon={<CircleArrowUp aria-hidden size={14} />}
          disabledReason={refusal("update")}
          onClick={() => setAsked("update")}
        >
          Update
        </Button>
      )}
      <Menu
        trigger={
          <IconButton
            look="secondary"
            label="More actions"
            icon={<Ellipsis aria-hidden size={16} />}
          />
        }
        entries={() => [
          {
            label: "Restart",
            icon: <RotateCw size={15} />,
            disabledReason: refusal("restart"),
            onSelect: () => setAsked("restart"),
          },
          ...(status === "failed" || status === "canceled"
            ? [
                {
                  label: "Stop",
                  icon: <Square size={15} />,
                  disabledReason: refusal("stop"),
                  onSelect: () => setAsked("stop"),
                },
              ]
            : []),
          {
            label: "Delete",
            icon: <Trash2 size={15} />,
            isDangerous: true,
            startsGroup: true,
            disabledReason: refusal("delete"),
            onSelect: () => setAsked("delete"),
          },
        ]}
      />
      {asked !== undefined && (
        <ActionDialog action={asked} workspace={workspace} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}
