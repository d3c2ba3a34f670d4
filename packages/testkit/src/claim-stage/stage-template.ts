import { tarMimeType } from "@slipway/api/files/routes";
import { createTemplate, createVersion, keepFile, type UserCaller } from "@slipway/server/claims";

import { packTemplate } from "../processes/template-upload.ts";
import { acquire } from "./acquire.ts";
import type { StageNeeds } from "./stage-needs.ts";

/** A version of the stage's template, with a pool in its preset. */
export interface StageVersion {
  readonly id: string;
  readonly presetId: string;
}

/** The pool in the preset of a version. */
export interface StagePool {
  readonly instances: number;
  readonly expireAfterSeconds: number;
  /** The template's `on_claim` (default: none). */
  readonly onClaim?: string;
}

interface TemplateInput {
  readonly organizationId: string;
  readonly admin: UserCaller;
  readonly agentNames: readonly string[];
  readonly pool: StagePool;
}

/** Pushes a template and activates its version. */
export async function pushStageTemplate(
  needs: StageNeeds,
  input: TemplateInput,
): Promise<{ readonly templateId: string; readonly version: StageVersion }> {
  const { admin, organizationId } = input;
  const versionId = await importVersion(needs, input, undefined);
  const { id } = await createTemplate(needs, admin, {
    organizationId,
    name: "pool",
    versionId,
    displayName: undefined,
    description: undefined,
    icon: undefined,
  });
  return { templateId: id, version: await readStageVersion(needs, versionId) };
}

/** Pushes another version of the template without activating it. */
export async function pushStageVersion(
  needs: StageNeeds,
  input: TemplateInput,
  templateId: string,
): Promise<StageVersion> {
  return readStageVersion(needs, await importVersion(needs, input, templateId));
}

async function importVersion(
  needs: StageNeeds,
  { admin, organizationId, agentNames, pool }: TemplateInput,
  templateId: string | undefined,
): Promise<string> {
  const { driver } = needs;
  const yaml = templateOf(driver, agentNames, pool);
  const { id: fileId } = await keepFile(needs, admin, tarMimeType, await packTemplate(yaml));
  const { id } = await createVersion(needs, admin, {
    organizationId,
    fileId,
    templateId,
    name: undefined,
    message: "",
  });
  await (await acquire(needs))?.end("succeed");
  return id;
}

async function readStageVersion({ db }: StageNeeds, id: string): Promise<StageVersion> {
  const preset = await db
    .selectFrom("template_version_presets")
    .where("template_version_id", "=", id)
    .select("id")
    .executeTakeFirstOrThrow();
  return { id, presetId: preset.id };
}

function templateOf(
  driver: string,
  agentNames: readonly string[],
  { instances, expireAfterSeconds, onClaim }: StagePool,
): string {
  const claims = onClaim === undefined ? "" : `on_claim: ${onClaim}\n`;
  const expiry = expireAfterSeconds === 0 ? "" : `, expire_after: ${expireAfterSeconds}s`;
  return `
driver: ${driver}
${claims}parameters:
  color: { type: string, default: none, mutable: true }
presets:
  ready:
    parameters: { color: blue }
    prebuilds: { instances: ${instances}${expiry} }
agents:
${agentNames.map((name) => `  ${name}: { os: linux, arch: amd64 }`).join("\n")}
`;
}
