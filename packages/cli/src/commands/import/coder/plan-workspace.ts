import { nameProblem } from "@slipway/api/contract/name";

import {
  hasComeOver,
  type PlannedOutcome,
  type PlannedTemplate,
  type PlannedUser,
  type PlannedWorkspace,
} from "./plan.ts";
import type { SourceTemplate, SourceWorkspace } from "./read-source.ts";
import {
  nameKey,
  type TargetDeployment,
  type TargetWorkspace,
  workspaceKey,
} from "./read-target.ts";

/** The plans for what workspaces belong to. */
export interface ComingOwners {
  /** By the key of the name. */
  readonly users: ReadonlyMap<string, PlannedUser>;
  /** By the id there. */
  readonly templates: ReadonlyMap<string, PlannedTemplate>;
  readonly knowsFavorites: boolean;
}

/** Decides whether a workspace comes over, which needs its owner and its template. */
export function planWorkspace(
  workspace: SourceWorkspace,
  { users, templates, knowsFavorites }: ComingOwners,
  target: TargetDeployment,
): PlannedWorkspace {
  const name = `${workspace.ownerName}/${workspace.name}`;
  const isFavorite =
    knowsFavorites &&
    workspace.isFavorite &&
    nameKey(workspace.ownerName) === nameKey(target.username);
  const plan = (outcome: PlannedOutcome, ...notes: readonly string[]): PlannedWorkspace => ({
    name,
    outcome,
    notes,
    workspace: { ...workspace, isFavorite },
  });
  const owner = users.get(nameKey(workspace.ownerName));
  const template = templates.get(workspace.templateId);
  if (owner === undefined || !hasComeOver(owner))
    return plan("waiting", `its owner ${workspace.ownerName} does not come`);
  if (template === undefined) return plan("skipped", "its template was deleted there");
  if (!hasComeOver(template)) return plan("waiting", `its template ${template.name} does not come`);
  const here = target.workspaces.get(workspaceKey(workspace));
  if (here !== undefined) {
    if (nameKey(here.templateName) !== nameKey(template.name))
      return plan(
        "conflict",
        `the workspace of this name here is of template ${here.templateName}`,
      );
    const isComplete =
      missingSettings({ ...workspace, isFavorite }, template.template, here).length === 0;
    return plan(here.isUntouched && !isComplete ? "complete" : "present");
  }
  const problem = nameProblem(workspace.name);
  if (problem !== undefined) return plan("skipped", `the name ${problem}`);
  return plan("create", ...workspaceNotes(workspace, template));
}

function workspaceNotes(
  { versionId, versionName, isDormant, autostart, ttlMs }: SourceWorkspace,
  { versions, template: { settings } }: PlannedTemplate,
): string[] {
  const version = versions.find((one) => one.version.id === versionId);
  const canStart = settings.allow_user_autostart !== false;
  const canStop = settings.allow_user_autostop !== false;
  return [
    ...(version !== undefined && hasComeOver(version)
      ? []
      : [`its version ${versionName} does not come: takes the active one`]),
    ...(autostart !== undefined && !canStart
      ? ["its schedule does not come: the template does not allow one"]
      : []),
    ...(ttlMs !== undefined && !canStop && ttlMs !== settings.default_ttl_ms
      ? ["takes the template's time to live"]
      : []),
    ...(isDormant ? ["dormant"] : []),
  ];
}

/** A setting that is set after a workspace was created. */
export type LateSetting = "ttl" | "favorite" | "dormant";

/** Returns the settings that a workspace here, or one just created, still lacks. */
export function missingSettings(
  { ttlMs, isFavorite, isDormant }: SourceWorkspace,
  { settings }: SourceTemplate,
  here: Pick<TargetWorkspace, "ttlMs" | "isFavorite" | "isDormant">,
): readonly LateSetting[] {
  const mayClearTtl = settings.allow_user_autostop !== false && ttlMs === undefined;
  return [
    // A new workspace takes the default of its template.
    ...(mayClearTtl && here.ttlMs !== null ? (["ttl"] as const) : []),
    ...(isFavorite && !here.isFavorite ? (["favorite"] as const) : []),
    ...(isDormant && !here.isDormant ? (["dormant"] as const) : []),
  ];
}
