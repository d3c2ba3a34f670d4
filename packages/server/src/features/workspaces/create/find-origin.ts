import type { Queryable } from "../../../platform/db/database.ts";
import { ifFound, invalidField } from "../../../platform/errors/errors.ts";
import { requireTemplate } from "../../templates/service.ts";
import { selectActiveVersion, type TemplateTerms } from "../../templates/version-queries.ts";
import { requireVersion } from "../../templates/version-service.ts";

/** The template and version that a workspace is created from. */
export interface Origin {
  readonly template: TemplateTerms;
  readonly version: Awaited<ReturnType<typeof requireVersion>>;
}

interface OriginRequest {
  readonly templateId: string | undefined;
  readonly versionId: string | undefined;
}

/** Finds the version that is requested, or the active one of the requested template; throws `Invalid`. */
export async function findOrigin(db: Queryable, input: OriginRequest): Promise<Origin> {
  if (input.versionId !== undefined) {
    const version = await ifFound(requireVersion(db, input.versionId));
    if (version === undefined || version.template_id === null) {
      throw invalidField(
        "template_version_id",
        `must be the ID of a template version, found ${input.versionId}`,
      );
    }
    return { template: await requireTemplate(db, version.template_id), version };
  }
  if (input.templateId === undefined) {
    throw invalidField("template_id", "is required unless template_version_id is set");
  }
  const origin = await selectActiveVersion(db, input.templateId);
  if (origin === undefined)
    throw invalidField("template_id", `must be the ID of a template, found ${input.templateId}`);
  return origin;
}
