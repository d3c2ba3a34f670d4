import type { BuildParameter } from "@slipway/api/builds/build";

import type { Queryable } from "../../platform/db/database.ts";
import { ifFound, Invalid, invalidField } from "../../platform/errors/errors.ts";
import { evaluateStart, type StartEvaluation } from "../builds/start-parameters.ts";
import { readVersionLogIns, type VersionLogInNeeds } from "../templates/external-auth-service.ts";
import type { ParameterReader } from "../templates/parameter-service.ts";
import { requireTemplate } from "../templates/service.ts";
import { selectActiveVersion, type TemplateTerms } from "../templates/version-queries.ts";
import { requireVersion } from "../templates/version-service.ts";
import type { WorkspaceSettings } from "../workspaces/queries.ts";

/** The request for a new workspace. */
export interface NewWorkspace {
  readonly ownerId: string;
  readonly name: string;
  readonly templateId: string | undefined;
  readonly versionId: string | undefined;
  readonly presetId: string | undefined;
  readonly parameters: readonly BuildParameter[];
  /** The parameters that the version has for these values (default: those of its definition). */
  readonly evaluation?: StartEvaluation | undefined;
  /** The first build; one that stops touches no infrastructure. */
  readonly transition: "start" | "stop";
  /** True if it must come from a pool. */
  readonly requiresPrebuild: boolean;
  readonly settings: WorkspaceSettings;
}

/** The template and version that a workspace is created from. */
export interface Origin {
  readonly template: TemplateTerms;
  readonly version: Awaited<ReturnType<typeof requireVersion>>;
}

type VersionChoice = Pick<NewWorkspace, "templateId" | "versionId">;

/** Finds the version that is requested, or the active one of the requested template; throws `Invalid`. */
export async function findOrigin(db: Queryable, input: VersionChoice): Promise<Origin> {
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

/**
 * Reads the parameters that the version of a new workspace has for its values; undefined if they are the same for all. It may
 * take seconds: call it before the workspace waits for its turn.
 */
export async function evaluateCreation(
  { db, parameters: reader }: { readonly db: Queryable; readonly parameters: ParameterReader },
  userId: string,
  input: NewWorkspace,
  signal: AbortSignal,
): Promise<StartEvaluation | undefined> {
  const { version } = await findOrigin(db, input);
  const { definition } = version;
  if (definition?.parameterSources === undefined) return undefined;
  const { ownerId, parameters: given, presetId } = input;
  const start = { version: { ...version, definition }, ownerId, given, presetId };
  return evaluateStart(reader, userId, { ...start, previous: undefined }, signal);
}

/**
 * Throws `Invalid` unless the owner of a new workspace is logged in to the providers that its version requires. A server
 * without providers requires none. Providers may be slow: call it before the workspace waits for its turn.
 */
export async function requireLogIns(
  needs: VersionLogInNeeds,
  input: VersionChoice & Pick<NewWorkspace, "ownerId">,
  signal: AbortSignal,
): Promise<void> {
  if (needs.providers.list.length === 0) return;
  const { version } = await findOrigin(needs.db, input);
  const logIns = await readVersionLogIns(needs, input.ownerId, version.id, signal);
  const missing = logIns.filter((one) => !one.authenticated && one.optional !== true);
  if (missing.length === 0) return;
  const names = missing.map((one) => one.display_name).join(" and ");
  throw new Invalid(`The owner of the workspace is not logged in to ${names}.`, {
    detail: `Log in at ${missing.map((one) => one.authenticate_url).join(" and ")}, then try again.`,
  });
}
