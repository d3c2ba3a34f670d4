import type { BuildStatus } from "@slipway/api/builds/build";
import type { Workspace } from "@slipway/api/workspaces/workspace";

/** An action on a workspace that begins a build, or ends one. */
export type WorkspaceAction = "start" | "stop" | "restart" | "update" | "delete" | "cancel";

/** The part of a workspace that decides which actions are possible. */
export type ActionSubject = Pick<
  Workspace,
  "outdated" | "template_allow_user_cancel_workspace_jobs"
> & {
  readonly latest_build: Pick<Workspace["latest_build"], "status">;
};

const unfinished: ReadonlySet<BuildStatus> = new Set([
  "pending",
  "starting",
  "stopping",
  "deleting",
  "canceling",
]);

/** Returns whether a workspace has a build that is not done. */
export function isBuilding(status: BuildStatus): boolean {
  return unfinished.has(status);
}

/**
 * Returns why an action on a workspace is impossible now; undefined if it is possible. `mayWriteTemplates` is the right to
 * cancel builds of any template.
 */
export function actionRefusal(
  action: WorkspaceAction,
  subject: ActionSubject,
  { mayWriteTemplates }: { readonly mayWriteTemplates: boolean },
): string | undefined {
  const { status } = subject.latest_build;
  if (status === "deleted") return "The workspace is deleted";
  if (action === "cancel") return cancelRefusal(subject, mayWriteTemplates);
  if (isBuilding(status))
    return `The workspace is ${status}: wait until that is done, or cancel it`;
  switch (action) {
    case "start":
      return status === "running" ? "The workspace is already running" : undefined;
    case "stop":
      return status === "stopped" ? "The workspace is already stopped" : undefined;
    case "restart":
      return status === "stopped" ? "The workspace is stopped: start it instead" : undefined;
    case "update":
      return subject.outdated ? undefined : "The workspace already has the active version";
    case "delete":
      return undefined;
  }
}

function cancelRefusal(
  { latest_build: { status }, template_allow_user_cancel_workspace_jobs: isAllowed }: ActionSubject,
  mayWriteTemplates: boolean,
): string | undefined {
  if (!isBuilding(status)) return "No build is running";
  if (status === "canceling") return "It is already being canceled";
  return isAllowed || mayWriteTemplates ? undefined : "The template does not allow canceling";
}
