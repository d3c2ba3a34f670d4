import { listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQueryClient } from "@tanstack/react-query";
import { Play, RefreshCw, Square, Trash2, X } from "lucide-react";
import { type ReactNode, useState } from "react";

import { refresh } from "../../api/queries.ts";
import { useMe, useRights } from "../../api/session.ts";
import { actionRefusal } from "../../components/workspaces/action-refusal.ts";
import { changeRefusal } from "../../components/workspaces/change-refusal.ts";
import { runAction } from "../../components/workspaces/run-action.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Dialog, useIsMounted } from "../../ui/dialog.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { type Outcomes, runOnMany } from "./run-on-many.ts";
import { useSelected } from "./use-workspace-list.ts";

/** The actions that several workspaces can have at once. */
export type ManyAction = "start" | "stop" | "update" | "delete";

const actions = [
  ["start", "Start", <Play key="start" aria-hidden size={14} />],
  ["stop", "Stop", <Square key="stop" aria-hidden size={14} />],
  ["update", "Update", <RefreshCw key="update" aria-hidden size={14} />],
  ["delete", "Delete…", <Trash2 key="delete" aria-hidden size={14} />],
] as const;

interface ManyActionsProps {
  /** The selected workspaces by their ids, each as it was when it was selected. */
  readonly selected: ReadonlyMap<string, Workspace>;
  readonly onClear: () => void;
}

/** The actions on the selected workspaces, at the bottom of the window. */
export function ManyActions({ selected, onClear }: ManyActionsProps): ReactNode {
  const [asked, setAsked] = useState<ManyAction>();
  const workspaces = useSelected(selected);
  const number = workspaces.length;
  if (number === 0 && asked === undefined) return null;
  return (
    <div
      role="toolbar"
      aria-label="Selected workspaces"
      className="sticky bottom-4 z-10 mx-auto flex max-w-full flex-wrap items-center gap-1 rounded-lg bg-raised p-1.5 shadow-popup"
    >
      <span role="status" className="px-2 text-sm font-medium tabular-nums">
        {number} selected
      </span>
      {actions.map(([action, label, icon]) => (
        <Button key={action} look="ghost" size="small" icon={icon} onClick={() => setAsked(action)}>
          {label}
        </Button>
      ))}
      <IconButton
        label="Clear the selection"
        size="small"
        icon={<X aria-hidden size={14} />}
        onClick={onClear}
      />
      {asked !== undefined && (
        <ManyDialog
          action={asked}
          workspaces={workspaces}
          onClose={() => setAsked(undefined)}
          onDone={onClear}
        />
      )}
    </div>
  );
}

const texts: Readonly<Record<ManyAction, { readonly verb: string; readonly effect: string }>> = {
  start: {
    verb: "Start",
    effect: "They start with the version and the parameters of their last build.",
  },
  stop: {
    verb: "Stop",
    effect:
      "Their processes, terminals and connections end. Files that their templates keep are preserved.",
  },
  update: {
    verb: "Update",
    effect:
      "They get the active version of their template and start. Running ones may lose their processes and connections.",
  },
  delete: {
    verb: "Delete",
    effect: "Their machines and all of their files are deleted and cannot be restored.",
  },
};

interface ManyDialogProps {
  readonly action: ManyAction;
  readonly workspaces: readonly Workspace[];
  readonly onClose: () => void;
  /** Called when all have succeeded. */
  readonly onDone: () => void;
}

type Phase =
  | { readonly kind: "asked" }
  | { readonly kind: "running"; readonly done: number }
  | { readonly kind: "failed"; readonly outcomes: Outcomes };

/** Says what an action will do to several workspaces, carries it out, and tells for which it failed. */
export function ManyDialog({
  action,
  workspaces: chosen,
  onClose,
  onDone,
}: ManyDialogProps): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const isOpen = useIsMounted();
  // What is asked about stays the same, whatever becomes of the list meanwhile.
  const [workspaces] = useState(chosen);
  const me = useMe();
  const { createTemplates } = useRights();
  const [phase, setPhase] = useState<Phase>({ kind: "asked" });
  const { verb, effect } = texts[action];
  const refusalOf = (workspace: Workspace): string | undefined =>
    changeRefusal(workspace, me) ??
    actionRefusal(action, workspace, { mayWriteTemplates: createTemplates });
  const possible = workspaces.filter((workspace) => refusalOf(workspace) === undefined);
  const refused = workspaces.flatMap((workspace) => {
    const reason = refusalOf(workspace);
    return reason === undefined ? [] : [{ workspace, reason }];
  });
  const run = async (): Promise<void> => {
    setPhase({ kind: "running", done: 0 });
    const outcomes = await runOnMany(
      possible,
      (workspace) => runAction(action, workspace),
      (done) => setPhase({ kind: "running", done }),
    );
    await refresh(cache, listWorkspaces);
    if (!isOpen.current) {
      if (outcomes.failed.length > 0) toaster.fail(failureText(outcomes, possible));
      return;
    }
    if (outcomes.failed.length > 0) return setPhase({ kind: "failed", outcomes });
    onClose();
    onDone();
  };
  const title = `${verb} ${countOf(possible)}?`;
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{phase.kind === "asked" ? "Cancel" : "Close"}</Button>
          {phase.kind !== "failed" && (
            <Button
              look={action === "delete" ? "danger" : "primary"}
              isBusy={phase.kind === "running"}
              disabledReason={
                possible.length === 0 ? "None of them can do this right now" : undefined
              }
              onClick={() => void run()}
            >
              {phase.kind === "running"
                ? `${String(phase.done)} of ${String(possible.length)}`
                : `${verb} ${countOf(possible)}`}
            </Button>
          )}
        </>
      }
    >
      {phase.kind !== "failed" && (
        <>
          <p>{effect}</p>
          <NameList entries={possible.map((workspace) => ({ workspace }))} />
          {refused.length > 0 && (
            <Notice tone="warn" title={`${countOf(refused)} skipped`}>
              <NameList entries={refused} />
            </Notice>
          )}
        </>
      )}
      {phase.kind === "failed" && (
        <Notice tone="bad" title={failureText(phase.outcomes, possible)}>
          <NameList
            entries={phase.outcomes.failed.map(({ workspace, message }) => ({
              workspace,
              reason: message,
            }))}
          />
        </Notice>
      )}
    </Dialog>
  );
}

function failureText({ failed }: Outcomes, tried: readonly unknown[]): string {
  return `Failed for ${String(failed.length)} of ${countOf(tried)}`;
}

function countOf(all: readonly unknown[]): string {
  return `${String(all.length)} ${all.length === 1 ? "workspace" : "workspaces"}`;
}

interface NameListProps {
  readonly entries: readonly {
    readonly workspace: Pick<Workspace, "id" | "name" | "owner_name">;
    readonly reason?: string;
  }[];
}

function NameList({ entries }: NameListProps): ReactNode {
  return (
    <ul className="max-h-48 overflow-y-auto text-sm text-ink-soft">
      {entries.map(({ workspace, reason }) => (
        <li key={workspace.id} className="wrap-anywhere">
          <UntrustedText>{`${workspace.owner_name}/${workspace.name}`}</UntrustedText>
          {reason !== undefined && (
            <>
              {": "}
              <UntrustedText>{reason}</UntrustedText>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
