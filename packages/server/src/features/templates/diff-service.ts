import type { VersionDiff } from "@slipway/api/templates/template-version";
import { readTemplateArchive } from "@slipway/template";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import {
  forbidden,
  invalidField,
  NotFound,
  PreconditionFailed,
  Unprocessable,
} from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { loadFile } from "../files/service.ts";
import { selectPreviousVersion, selectVersion, type VersionRow } from "./version-queries.ts";
import { requireVersion } from "./version-service.ts";

/** The timeout of a comparison, in milliseconds: texts that share little take long. */
const diffTimeoutMs = 1_000;

/** Diffs `slipway.yaml` between two versions; without `fromId` from the previous one. */
export async function diffVersions(
  db: Queryable,
  caller: UserCaller,
  toId: string,
  fromId: string | undefined,
): Promise<VersionDiff> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can read the files of templates.");
  const to = await requireVersion(db, toId);
  const from = fromId === undefined ? await previous(db, to) : await other(db, to, fromId);
  const [before, after] = await Promise.all([definitionOf(db, from), definitionOf(db, to)]);
  const identity = ({ id, name }: VersionRow): VersionDiff["from"] => ({ id, name });
  return { from: identity(from), to: identity(to), diff: unifiedDiff(from, before, to, after) };
}

async function previous(db: Queryable, version: VersionRow): Promise<VersionRow> {
  const found =
    version.template_id === null
      ? undefined
      : await selectPreviousVersion(db, version.template_id, version.id);
  if (found !== undefined) return found;
  throw new NotFound(`No previous template version found for "${version.name}".`);
}

async function other(db: Queryable, version: VersionRow, id: string): Promise<VersionRow> {
  const found = await selectVersion(db, id);
  if (found !== undefined && found.template_id === version.template_id) return found;
  throw invalidField(
    "from",
    `must be a version of the same template as ${version.name}, found ${id}`,
  );
}

async function definitionOf(db: Queryable, version: VersionRow): Promise<string> {
  const files = await readTemplateArchive(await loadFile(db, version.file_id));
  if ("definitionText" in files) return files.definitionText;
  throw new PreconditionFailed(`Version ${version.name} is not a valid template.`, {
    detail: "problem" in files ? files.problem : "Only versions with slipway.yaml can be compared.",
  });
}

function unifiedDiff(from: VersionRow, before: string, to: VersionRow, after: string): string {
  if (before === after) return "";
  const name = (version: VersionRow): string => `slipway.yaml (${version.name})`;
  const patch = createTwoFilesPatch(name(from), name(to), before, after, undefined, undefined, {
    timeout: diffTimeoutMs,
    headerOptions: FILE_HEADERS_ONLY,
  });
  if (patch !== undefined) return patch;
  throw new Unprocessable("The two versions are too different to compare.");
}
