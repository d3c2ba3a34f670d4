import type { WorkspaceResource } from "@slipway/api/builds/resource";
import { type Driver, DriverError } from "@slipway/drivers";
import { countText } from "@slipway/runtime";
import {
  foreseeContainer,
  locateProblem,
  parseTemplateDefinition,
  type PresetDefinition,
  problemLine,
  readTemplateArchive,
  type TemplateDefinition,
  type TemplateProblem,
} from "@slipway/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import type { AcquiredJob, JobHandler, JobOutcome } from "../../platform/jobs/worker.ts";
import { driverAgents } from "../agents/plan-service.ts";
import { loadFile } from "../files/service.ts";
import { readRoles } from "../users/service.ts";
import { offeredDrivers, type OfferedDrivers } from "./driver-rule.ts";
import { insertPlan, planResources, type PlanSubject } from "./plan.ts";
import type { UnpackNeeds } from "./unpack-service.ts";

/** The dependencies of jobs of templates. */
export interface TemplateJobNeeds extends UnpackNeeds {
  readonly drivers: ReadonlyMap<string, Driver>;
}

/** Reads a pushed archive and stores its contents; every fault goes into the log with its line and column. */
export function importHandler(needs: TemplateJobNeeds): JobHandler {
  const { db, drivers } = needs;
  return async (job, log, signal) => {
    log.stage("Setting up");
    const archive = await loadFile(db, job.file_id);
    log.stage("Reading the template");
    const roles = await readRoles(db, job.initiator_id);
    const result = await readTemplate(archive, offeredDrivers(drivers, { roles }), log);
    const driver = "error" in result ? undefined : drivers.get(result.definition.driver);
    if ("error" in result || driver === undefined) {
      log.stage("Cleaning Up");
      return failure("error" in result ? result.error : "this server lost its driver");
    }
    try {
      const resources = await planResources(needs, driver, planSubject(job, result), log, signal);
      log.stage("Cleaning Up");
      return success(job, result, resources);
    } catch (error) {
      const problems = problemsOf(error, result);
      if (problems.length === 0) throw error;
      return failure(reportProblems(result.path, problems, log));
    }
  };
}

/** Returns the problems of the template that a driver found, with their positions; none for another error. */
function problemsOf(error: unknown, { text }: ImportedVersion): readonly TemplateProblem[] {
  if (!(error instanceof DriverError) || error.code !== "invalid-template") return [];
  const found = error.message.split("\n").map((line) => /^(agents\.[^\s:]+): (.+)$/.exec(line));
  if (!found.every((one) => one !== null)) return [];
  return found
    .map(([, path = "", message = ""]) => locateProblem(text, path, message))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** Returns the template as it is: its texts keep their expressions, since no values have been chosen yet. */
function planSubject(job: AcquiredJob, { definition }: ImportedVersion): PlanSubject {
  return {
    jobId: job.id,
    template: { name: "", version: "" },
    workspaceName: "",
    ownerName: "",
    parameters: [],
    agents: definition.agents,
    planned: driverAgents(definition.agents, (agent) => foreseeContainer(definition, agent)),
    fileId: job.file_id,
    at: job.created_at,
  };
}

async function readTemplate(
  archive: Uint8Array,
  offered: OfferedDrivers,
  log: JobLogWriter,
): Promise<ImportedVersion | { readonly error: string }> {
  const files = await readTemplateArchive(archive);
  if ("problem" in files) {
    log.write("error", files.problem);
    return { error: files.problem };
  }
  const parsed = parseTemplateDefinition(files.definitionText, offered);
  if ("definition" in parsed) {
    const { definition } = parsed;
    log.write(
      "info",
      `driver ${definition.driver}, agents: ${definition.agents.map((a) => a.name).join(", ")}`,
    );
    const { definitionPath: path, definitionText: text, readme } = files;
    return { definition, readme, path, text };
  }
  return { error: reportProblems(files.definitionPath, parsed.problems, log) };
}

/** Writes the problems into the log; returns their summary. */
function reportProblems(
  path: string,
  problems: readonly TemplateProblem[],
  log: JobLogWriter,
): string {
  for (const problem of problems) log.write("error", problemLine(path, problem));
  const [first] = problems;
  const where =
    first === undefined
      ? ""
      : `, the first at line ${first.line}, column ${first.column}: ${first.message}`;
  return `${path} has ${countText(problems.length, "problem")}${where}`;
}

function failure(error: string): JobOutcome {
  return { error, commit: async () => {}, topics: [] };
}

function success(
  job: AcquiredJob,
  imported: ImportedVersion,
  resources: readonly WorkspaceResource[],
): JobOutcome {
  const versionId = job.template_version_id;
  if (versionId === null) return failure("the import has no template version");
  return {
    error: undefined,
    topics: [],
    commit: async (trx) => {
      await updateImported(trx, versionId, imported);
      await insertPresets(trx, versionId, imported.definition.presets);
      await insertPlan(trx, job.id, resources);
    },
  };
}

interface ImportedVersion {
  readonly definition: TemplateDefinition;
  readonly readme: string;
  /** The path of the definition in the archive, and its text. */
  readonly path: string;
  readonly text: string;
}

async function updateImported(db: Queryable, id: string, imported: ImportedVersion): Promise<void> {
  await db
    .updateTable("template_versions")
    .set({
      definition: JSON.stringify(imported.definition),
      readme: imported.readme,
      updated_at: sql`now()`,
    })
    .where("id", "=", id)
    .execute();
}

/** Stores the presets of a version and their pools. */
async function insertPresets(
  db: Queryable,
  versionId: string,
  presets: readonly PresetDefinition[],
): Promise<void> {
  if (presets.length === 0) return;
  const rows = await db
    .insertInto("template_version_presets")
    .values(
      presets.map(({ name, prebuilds }) => ({
        template_version_id: versionId,
        name,
        desired_instances: prebuilds?.instances ?? null,
        invalidate_after_secs: prebuilds?.expireAfterSeconds ?? 0,
        scheduling_timezone: prebuilds?.schedule?.timezone ?? "",
      })),
    )
    .returning(["id", "name"])
    .execute();
  const windows = presets.flatMap(({ name, prebuilds }) => {
    const presetId = rows.find((row) => row.name === name)?.id;
    if (presetId === undefined) return [];
    return (prebuilds?.schedule?.windows ?? []).map(({ cron, instances }) => ({
      preset_id: presetId,
      cron_expression: cron,
      desired_instances: instances,
    }));
  });
  if (windows.length === 0) return;
  await db.insertInto("template_version_preset_prebuild_schedules").values(windows).execute();
}
