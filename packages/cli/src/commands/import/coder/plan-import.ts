import { planTemplate, withoutVersions } from "./plan-template.ts";
import { planUser } from "./plan-user.ts";
import { type ComingOwners, planWorkspace } from "./plan-workspace.ts";
import type { ImportPlan, PlannedTemplate } from "./plan.ts";
import type { SourceDeployment } from "./read-source.ts";
import { nameKey, type TargetDeployment } from "./read-target.ts";

interface PlanOptions {
  /** `used` leaves out versions that are neither active nor those of workspaces. */
  readonly versions: "all" | "used";
  /** The user of the token, whose favorites alone are known. */
  readonly sourceUsername: string;
}

/** Decides what comes over from `source`; changes nothing. */
export function planImport(
  source: SourceDeployment,
  target: TargetDeployment,
  { versions, sourceUsername }: PlanOptions,
): ImportPlan {
  const users = source.users.map((user) => planUser(user, target));
  const used = new Set(source.workspaces.map(({ versionId }) => versionId));
  const names = new Set<string>();
  const templates = source.templates.map((template): PlannedTemplate => {
    const isDuplicate = names.has(nameKey(template.name));
    names.add(nameKey(template.name));
    const wanted = template.versions.filter(
      ({ id }) => versions === "all" || id === template.activeVersionId || used.has(id),
    );
    if (isDuplicate) {
      return withoutVersions(
        template,
        "conflict",
        "another organization has a template of this name",
      );
    }
    return planTemplate({ ...template, versions: wanted }, target);
  });
  const coming: ComingOwners = {
    users: new Map(users.map((one) => [nameKey(one.name), one])),
    templates: new Map(templates.map((one) => [one.template.id, one])),
    knowsFavorites: nameKey(sourceUsername) === nameKey(target.username),
  };
  const workspaces = source.workspaces.map((workspace) => planWorkspace(workspace, coming, target));
  return { users, templates, workspaces };
}
