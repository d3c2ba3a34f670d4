import type { WorkspaceResource } from "@slipway/api/builds/resource";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { type Driver, DriverError } from "@slipway/drivers";
import { countText } from "@slipway/runtime";
import {
  driverProblem,
  foreseeContainer,
  locateProblem,
  parseTemplateDefinition,
  type PresetDefinition,
  problemLine,
  readTemplateArchive,
  type TemplateDefinition,
  type TemplateFiles,
  type TemplateProblem,
  terraformDriver,
} from "@slipway/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { AcquiredJob } from "../../platform/jobs/acquire-query.ts";
import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import { failedOutcome, type JobOutcome } from "../../platform/jobs/job-outcome.ts";
import type { StageSeconds } from "../../platform/jobs/stage-seconds.ts";
import { tagsText } from "../../platform/jobs/tags.ts";
import type { JobHandler } from "../../platform/jobs/worker.ts";
import { driverAgents } from "../agents/plan-service.ts";
import { loadFile } from "../files/service.ts";
import { readRoles } from "../users/service.ts";
import { offeredDrivers, type OfferedDrivers } from "./driver-rule.ts";
import { jobTags } from "./job-tags-service.ts";
import { insertPlan, planResources, type PlanSubject, readByDriver, resourceJson } from "./plan.ts";
import type { UnpackNeeds } from "./unpack-service.ts";

/** The dependencies of jobs of templates. */
export interface TemplateJobNeeds extends UnpackNeeds {
  readonly drivers: ReadonlyMap<string, Driver>;
  /** The URL at which agents reach the server. */
  readonly accessUrl: string;
  readonly stageSeconds: StageSeconds;
}

/** Reads a pushed archive and stores its contents; every fault goes into the log with its line and column. */
export function importHandler(needs: TemplateJobNeeds): JobHandler {
  const { db, drivers } = needs;
  return async (job, log, signal) => {
    log.stage("Setting up");
    const archive = await loadFile(db, job.file_id);
    log.stage("Reading the template");
    const roles = await readRoles(db, job.initiator_id);
    const offered = offeredDrivers(drivers, { roles });
    const files = await readTemplateArchive(archive);
    if ("problem" in files) {
      log.write("error", files.problem);
      return failedOutcome(files.problem);
    }
    if ("configurationFolder" in files) {
      return importConfiguration(needs, { job, offered, readme: files.readme }, log, signal);
    }
    const result = readTemplate(files, offered, log);
    const driver = "error" in result ? undefined : drivers.get(result.definition.driver);
    if ("error" in result || driver === undefined) {
      log.stage("Cleaning up");
      return failedOutcome("error" in result ? result.error : "this server lost its driver");
    }
    try {
      const resources = await planResources(needs, driver, planSubject(job, result), log, signal);
      log.stage("Cleaning up");
      return success(job, result, resources);
    } catch (error) {
      const problems = problemsOf(error, result);
      if (problems.length === 0) throw error;
      return failedOutcome(reportProblems(result.path, problems, log));
    }
  };
}

/** A pushed configuration, and the drivers that its author may use. */
interface PushedConfiguration {
  readonly job: AcquiredJob;
  readonly offered: OfferedDrivers;
  readonly readme: string;
}

/** Imports a template in the language of a driver, which reads it. */
async function importConfiguration(
  needs: TemplateJobNeeds,
  { job, offered, readme }: PushedConfiguration,
  log: JobLogWriter,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const problem = driverProblem(terraformDriver, offered);
  const driver = needs.drivers.get(terraformDriver);
  if (problem !== undefined || driver === undefined) {
    const reason = problem ?? "this server lost its driver";
    log.write("error", reason);
    return failedOutcome(reason);
  }
  const { id: jobId, type, file_id: fileId, created_at: at } = job;
  const template = { id: nilUuid, name: "", version: "", notes: undefined };
  const { accessUrl } = needs;
  const subject = { jobId, template, parameters: [], fileId, accessUrl, owner: undefined, type };
  try {
    const reading = await readByDriver(needs, driver, subject, log, signal);
    const { definition, notes } = reading;
    const tags = tagsText(jobTags({ definition, pushed_tags: {} }));
    if (tags !== "") log.write("info", `the template sends builds to provisioners with ${tags}`);
    log.stage("Cleaning up");
    const { agents } = definition;
    const plan = { jobId, workspaceName: "", ownerName: "", agents, at };
    const resources = reading.resources.map((resource) => resourceJson(resource, plan));
    return success(job, { definition, readme, notes }, resources);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    return failedOutcome(error.message);
  }
}

/** Returns the problems of the template that a driver found, with their positions; none for another error. */
function problemsOf(error: unknown, { text }: ImportedFile): readonly TemplateProblem[] {
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
    template: { id: nilUuid, name: "", version: "", notes: undefined },
    workspaceName: "",
    ownerName: "",
    parameters: [],
    agents: definition.agents,
    planned: driverAgents(definition.agents, (agent) => foreseeContainer(definition, agent)),
    fileId: job.file_id,
    at: job.created_at,
  };
}

function readTemplate(
  files: TemplateFiles,
  offered: OfferedDrivers,
  log: JobLogWriter,
): ImportedFile | { readonly error: string } {
  const parsed = parseTemplateDefinition(files.definitionText, offered);
  if ("definition" in parsed) {
    const { definition } = parsed;
    log.write(
      "info",
      `driver ${definition.driver}, agents: ${definition.agents.map((a) => a.name).join(", ")}`,
    );
    const { definitionPath: path, definitionText: text, readme } = files;
    return { definition, readme, notes: undefined, path, text };
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

function success(
  job: AcquiredJob,
  imported: ImportedVersion,
  resources: readonly WorkspaceResource[],
): JobOutcome {
  const versionId = job.template_version_id;
  if (versionId === null) return failedOutcome("the import has no template version");
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
  /** The driver's notes about it. */
  readonly notes: Uint8Array | undefined;
}

interface ImportedFile extends ImportedVersion {
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
      driver_notes: imported.notes === undefined ? null : Buffer.from(imported.notes),
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
