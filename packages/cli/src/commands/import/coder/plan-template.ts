import { nameProblem } from "@slipway/api/contract/name";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { weekdays } from "@slipway/api/templates/template";
import { countText } from "@slipway/runtime";

import {
  hasComeOver,
  type PlannedOutcome,
  type PlannedTemplate,
  type PlannedVersion,
} from "./plan.ts";
import type { SourceTemplate, SourceVersion } from "./read-source.ts";
import { nameKey, type TargetDeployment, type TargetTemplate } from "./read-target.ts";

/** Returns the plan of a template none of whose versions comes over. */
export function withoutVersions(
  template: SourceTemplate,
  outcome: PlannedOutcome,
  note: string,
): PlannedTemplate {
  return { name: template.name, outcome, notes: [note], template, versions: [] };
}

/** The provisioner of our own servers, each of whose templates names its driver. */
const ownProvisioner = "slipway";

/** Decides whether a template comes over, and which of its versions. */
export function planTemplate(template: SourceTemplate, target: TargetDeployment): PlannedTemplate {
  const { name, provisioner } = template;
  const problem = nameProblem(name);
  if (problem !== undefined) return withoutVersions(template, "skipped", `the name ${problem}`);
  if (provisioner !== ownProvisioner && !target.drivers.has(provisioner))
    return withoutVersions(
      template,
      "waiting",
      `needs the driver ${provisioner}, which is not enabled here`,
    );
  const here = target.templates.get(nameKey(name));
  const versions = template.versions.map((version) => planVersion(template, version, here));
  const active = versions.find(({ version }) => version.id === template.activeVersionId);
  const notes = [
    ...(active === undefined || !hasComeOver(active)
      ? ["its active version cannot come: the newest one becomes active"]
      : []),
    ...templateNotes(template),
  ];
  const created = versions.filter(({ outcome }) => outcome === "create").length;
  if (here !== undefined) {
    const isFinished = !isUnfinished(template, here);
    const outcome = created === 0 && isFinished ? "present" : "complete";
    const differences = isFinished ? templateDifferences(template, here) : notes;
    return { name, outcome, notes: differences, template, versions };
  }
  if (created === 0)
    return withoutVersions(template, "skipped", "no version of it was imported there");
  return { name, outcome: "create", notes, template, versions };
}

/**
 * Reports whether an import was interrupted before the template had its settings or its active version: the version that
 * was pushed first is still active, though it is another one there.
 */
export function isUnfinished(template: SourceTemplate, here: TargetTemplate): boolean {
  const active = template.versions.find(({ id }) => id === template.activeVersionId);
  const activeHere = active === undefined ? undefined : here.versions.get(active.name);
  const isFirst = here.activeVersionId === here.firstVersionId;
  return here.isUntouched || (isFirst && activeHere?.id !== here.activeVersionId);
}

/** Returns the changes there, or here, that an import leaves as they are. */
function templateDifferences(template: SourceTemplate, here: TargetTemplate): string[] {
  const active = template.versions.find(({ id }) => id === template.activeVersionId);
  const isActiveHere = here.versions.get(active?.name ?? "")?.id === here.activeVersionId;
  const isDeprecated = template.deprecationMessage !== "";
  return [
    ...(active === undefined || isActiveHere ? [] : [`${active.name} is not active here`]),
    ...(isDeprecated === here.isDeprecated
      ? []
      : [isDeprecated ? "not deprecated here" : "deprecated here"]),
  ];
}

function planVersion(
  template: SourceTemplate,
  version: SourceVersion,
  here: TargetTemplate | undefined,
): PlannedVersion {
  const name = `${template.name}/${version.name}`;
  const plan = (outcome: PlannedOutcome, ...notes: readonly string[]): PlannedVersion => ({
    name,
    outcome,
    notes,
    version,
  });
  const known = here?.versions.get(version.name);
  if (known?.isImported === false)
    return plan("conflict", "a version of this name failed to import here");
  if (known !== undefined) return plan("present");
  if (version.status !== "succeeded") return plan("skipped", `its import there ${version.status}`);
  if (version.fileId === "" || version.fileId === nilUuid)
    return plan("skipped", "the server has no archive of it");
  return plan("create", ...(version.id === template.activeVersionId ? ["active"] : []));
}

/** Returns the settings of a template that do not come over. */
function templateNotes({ autostartDays, deprecationMessage }: SourceTemplate): string[] {
  const days = autostartDays.length;
  return [
    ...(days > 0 && days < weekdays.length
      ? [`its workspaces may start by schedule on all days, not only on ${countText(days, "day")}`]
      : []),
    ...(deprecationMessage === "" ? [] : ["deprecated"]),
  ];
}
