import {
  createWorkspace,
  favoriteWorkspace,
  updateDormancy,
  updateTtl,
} from "@slipway/api/workspaces/routes";

import {
  carryOut,
  type ImportEntry,
  type ImportNeeds,
  ImportRefusedError,
  isPending,
  plannedEntry,
} from "./import-items.ts";
import type { ImportedTemplate } from "./import-templates.ts";
import { missingSettings } from "./plan-workspace.ts";
import type { PlannedTemplate, PlannedWorkspace } from "./plan.ts";
import { readParameters, type SourceWorkspace } from "./read-source.ts";
import { nameKey, type TargetWorkspace, targetWorkspace, workspaceKey } from "./read-target.ts";

interface WorkspaceNeeds extends ImportNeeds {
  /** By their ids there. */
  readonly planned: readonly PlannedTemplate[];
  readonly templates: ReadonlyMap<string, ImportedTemplate>;
  /** The names of users who could not be created. */
  readonly failedUsers: ReadonlySet<string>;
}

/** Creates the workspaces of a plan, stopped. */
export async function importWorkspaces(
  workspaces: readonly PlannedWorkspace[],
  needs: WorkspaceNeeds,
): Promise<ImportEntry[]> {
  const entries: ImportEntry[] = [];
  needs.progress.waitFor("importing workspaces");
  for (const planned of workspaces) {
    needs.progress.advance(entries.length, workspaces.length);
    entries.push(
      isPending(planned)
        ? await carryOut("workspace", planned, () => importWorkspace(planned, needs))
        : plannedEntry("workspace", planned),
    );
  }
  return entries;
}

async function importWorkspace(
  { workspace }: PlannedWorkspace,
  needs: WorkspaceNeeds,
): Promise<void> {
  const template = needs.planned.find((one) => one.template.id === workspace.templateId)?.template;
  const imported = needs.templates.get(workspace.templateId);
  if (needs.failedUsers.has(nameKey(workspace.ownerName)))
    throw new ImportRefusedError("its owner was not imported");
  if (template === undefined || imported === undefined)
    throw new ImportRefusedError("its template was not imported");
  const here =
    needs.here.workspaces.get(workspaceKey(workspace)) ??
    (await create(workspace, { template, imported }, needs));
  const params = { workspace: here.id };
  for (const setting of missingSettings(workspace, template, here)) {
    switch (setting) {
      case "ttl":
        await needs.target.call(updateTtl, { params, body: { ttl_ms: null } });
        break;
      case "favorite":
        await needs.target.call(favoriteWorkspace, { params });
        break;
      case "dormant":
        await needs.target.call(updateDormancy, { params, body: { dormant: true } });
        break;
    }
  }
}

async function create(
  workspace: SourceWorkspace,
  {
    template: { settings },
    imported,
  }: { readonly template: PlannedTemplate["template"]; readonly imported: ImportedTemplate },
  { source, target }: WorkspaceNeeds,
): Promise<TargetWorkspace> {
  const { name, ownerName, versionName, autostart, ttlMs, updatesAutomatically } = workspace;
  const versionId = imported.versions.get(versionName);
  const maySchedule = settings.allow_user_autostart !== false;
  const mayStop = settings.allow_user_autostop !== false;
  const created = await target.call(createWorkspace, {
    params: { user: ownerName },
    body: {
      name,
      transition: "stop",
      ...(versionId === undefined
        ? { template_id: imported.id }
        : { template_version_id: versionId }),
      rich_parameter_values: await readParameters(source, workspace),
      automatic_updates: updatesAutomatically ? "always" : "never",
      ...(autostart !== undefined && maySchedule ? { autostart_schedule: autostart } : {}),
      ...(ttlMs !== undefined && mayStop ? { ttl_ms: ttlMs } : {}),
    },
  });
  return targetWorkspace(created);
}
