import { getFile, maxFileBytes, tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { createTemplate, updateTemplate } from "@slipway/api/templates/routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  createTemplateVersion,
  getTemplateVersion,
  updateActiveVersion,
} from "@slipway/api/templates/version-routes";
import { Backoff, type Clock } from "@slipway/runtime";

import { isFinal } from "../../../resources/builds/follow-job.ts";
import {
  carryOut,
  type ImportEntry,
  type ImportNeeds,
  ImportRefusedError,
  isPending,
  plannedEntry,
  refusalText,
} from "./import-items.ts";
import { isUnfinished } from "./plan-template.ts";
import type { PlannedTemplate, PlannedVersion } from "./plan.ts";
import { nameKey } from "./read-target.ts";

/** A template here, as far as it has come. */
export interface ImportedTemplate {
  readonly id: string;
  /** The ids of its versions here, by their names. */
  readonly versions: ReadonlyMap<string, string>;
}

interface TemplateNeeds extends ImportNeeds {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The templates that workspaces can be created of, by their ids there, and the report. */
interface ImportedTemplates {
  readonly entries: readonly ImportEntry[];
  readonly templates: ReadonlyMap<string, ImportedTemplate>;
}

/** Creates the templates of a plan with their versions, one archive at a time. Deprecates none yet. */
export async function importTemplates(
  planned: readonly PlannedTemplate[],
  needs: TemplateNeeds,
): Promise<ImportedTemplates> {
  const entries: ImportEntry[] = [];
  const templates = new Map<string, ImportedTemplate>();
  for (const one of planned) {
    const template = new TemplateImport(one, needs);
    entries.push(...(await template.run()));
    if (template.imported !== undefined) templates.set(one.template.id, template.imported);
  }
  return { entries, templates };
}

/** The import of one template. */
class TemplateImport {
  readonly #planned: PlannedTemplate;
  readonly #needs: TemplateNeeds;
  readonly #versions = new Map<string, string>();
  #id: string | undefined;

  constructor(planned: PlannedTemplate, needs: TemplateNeeds) {
    this.#planned = planned;
    this.#needs = needs;
    const here = needs.here.templates.get(nameKey(planned.name));
    this.#id = here?.id;
    for (const [name, { id, isImported }] of here?.versions ?? [])
      if (isImported) this.#versions.set(name, id);
  }

  /** The template here; undefined if it was not created. */
  get imported(): ImportedTemplate | undefined {
    return this.#id === undefined ? undefined : { id: this.#id, versions: this.#versions };
  }

  async run(): Promise<ImportEntry[]> {
    const planned = this.#planned;
    if (!isPending(planned)) {
      return [planned, ...planned.versions].map((item, index) =>
        plannedEntry(index === 0 ? "template" : "version", item),
      );
    }
    const versions: ImportEntry[] = [];
    for (const version of planned.versions) {
      versions.push(
        isPending(version)
          ? await carryOut("version", version, () => this.#importVersion(version))
          : plannedEntry("version", version),
      );
    }
    const entry = await carryOut("template", planned, () => this.#finish());
    return [entry, ...versions];
  }

  /** Brings one version over; the first one creates the template. */
  async #importVersion({ version, name }: PlannedVersion): Promise<void> {
    const { source, target, here, progress } = this.#needs;
    progress.waitFor(`reading ${name}`);
    const bytes = await source.download(getFile, { params: { file: version.fileId } });
    if (bytes.length > maxFileBytes) {
      const text = `its archive has more than ${maxFileBytes} bytes: ${bytes.length}`;
      throw new ImportRefusedError(text);
    }
    progress.waitFor(`importing ${name}`);
    const { hash } = await target.upload(uploadFile, { bytes, contentType: tarMimeType });
    const created = await target.call(createTemplateVersion, {
      params: { organization: here.organizationId },
      body: {
        storage_method: "file",
        file_id: hash,
        name: version.name,
        message: version.message,
        ...(this.#id === undefined ? {} : { template_id: this.#id }),
      },
    });
    const { job } = await this.#waitForImport(created);
    if (job.status !== "succeeded")
      throw new ImportRefusedError(job.error ?? `the import was ${job.status}`);
    this.#id ??= await this.#createTemplate(created.id);
    this.#versions.set(version.name, created.id);
  }

  async #waitForImport(version: TemplateVersion): Promise<TemplateVersion> {
    const { target, clock, signal } = this.#needs;
    const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, factor: 2, jitter: 0.2 });
    let current = version;
    while (!isFinal(current.job)) {
      await clock.sleep(backoff.next(), signal);
      current = await target.call(getTemplateVersion, { params: { version: version.id } });
    }
    return current;
  }

  async #createTemplate(versionId: string): Promise<string> {
    const { target, here } = this.#needs;
    const { id } = await target.call(createTemplate, {
      params: { organization: here.organizationId },
      body: { name: this.#planned.name, template_version_id: versionId },
    });
    return id;
  }

  /** Applies the settings, then makes the active version active: the order by which a later run knows what is missing. */
  async #finish(): Promise<void> {
    const { template } = this.#planned;
    const { target, here } = this.#needs;
    if (this.#id === undefined) throw new ImportRefusedError("none of its versions was imported");
    const known = here.templates.get(nameKey(template.name));
    if (known !== undefined && !isUnfinished(template, known)) return;
    const params = { template: this.#id };
    if (known === undefined || known.isUntouched)
      await target.call(updateTemplate, { params, body: template.settings });
    const imported = template.versions.filter(({ name }) => this.#versions.has(name));
    const active = imported.find(({ id }) => id === template.activeVersionId) ?? imported.at(-1);
    const id = this.#versions.get(active?.name ?? "");
    if (id !== undefined) await target.call(updateActiveVersion, { params, body: { id } });
  }
}

/**
 * Deprecates the templates that are deprecated there, after their workspaces were created; those that were here before the
 * import stay as they are. Returns the report with the templates that could not be deprecated.
 */
export async function deprecateTemplates(
  planned: readonly PlannedTemplate[],
  { entries, templates }: ImportedTemplates,
  { target }: ImportNeeds,
): Promise<ImportEntry[]> {
  const refusals = new Map<string, string>();
  for (const one of planned) {
    const imported = templates.get(one.template.id);
    const { deprecationMessage: message } = one.template;
    if (message === "" || imported === undefined || !isPending(one)) continue;
    try {
      const params = { template: imported.id };
      await target.call(updateTemplate, { params, body: { deprecation_message: message } });
    } catch (error) {
      refusals.set(one.name, refusalText(error));
    }
  }
  return entries.map((entry) => {
    const detail = entry.kind === "template" ? refusals.get(entry.name) : undefined;
    return detail === undefined ? entry : { ...entry, outcome: "failed", detail };
  });
}
