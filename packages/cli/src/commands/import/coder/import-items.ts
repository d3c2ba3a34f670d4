import { ApiError } from "@slipway/sdk/http";

import type { Progress } from "../../../terminal/progress.ts";
import type { PatientClient } from "./patient-client.ts";
import type { ImportPlan, Planned, PlannedOutcome } from "./plan.ts";
import type { TargetDeployment } from "./read-target.ts";

/** One line of the report. */
export interface ImportEntry {
  readonly kind: "user" | "template" | "version" | "workspace";
  readonly name: string;
  /** An item that was to be created was `created` or `failed`. */
  readonly outcome: PlannedOutcome | "created" | "completed" | "failed";
  /** The reasons, and what is different afterward. */
  readonly detail: string;
}

/** The needs of functions that carry out a plan. */
export interface ImportNeeds {
  readonly source: PatientClient;
  readonly target: PatientClient;
  readonly here: TargetDeployment;
  readonly progress: Progress;
}

/** Returns an item as planned. */
export function plannedEntry(
  kind: ImportEntry["kind"],
  { name, outcome, notes }: Planned,
): ImportEntry {
  return { kind, name, outcome, detail: notes.join("; ") };
}

/** Returns all items as planned: users, templates with their versions, workspaces. */
export function plannedEntries({ users, templates, workspaces }: ImportPlan): ImportEntry[] {
  return [
    ...users.map((one) => plannedEntry("user", one)),
    ...templates.flatMap((one) => [
      plannedEntry("template", one),
      ...one.versions.map((version) => plannedEntry("version", version)),
    ]),
    ...workspaces.map((one) => plannedEntry("workspace", one)),
  ];
}

/** Reports whether there is something to do for an item. */
export function isPending({ outcome }: Planned): boolean {
  return outcome === "create" || outcome === "complete";
}

/**
 * Carries out one item. A server that refuses it fails only this item; other errors, such as a lost connection or an
 * expired token, are thrown.
 */
export async function carryOut(
  kind: ImportEntry["kind"],
  item: Planned,
  work: () => Promise<void>,
): Promise<ImportEntry> {
  const entry = plannedEntry(kind, item);
  try {
    await work();
  } catch (error) {
    return { ...entry, outcome: "failed", detail: refusalText(error) };
  }
  return { ...entry, outcome: item.outcome === "complete" ? "completed" : "created" };
}

/** Returns the server's reason for a refusal; throws any other error. */
export function refusalText(error: unknown): string {
  if (error instanceof ApiError && error.status !== 401) return error.message;
  if (error instanceof ImportRefusedError) return error.message;
  throw error;
}

/** An item that a server accepted and then could not carry out. */
export class ImportRefusedError extends Error {
  override readonly name = "ImportRefusedError";
  readonly code = "import-refused";
}
