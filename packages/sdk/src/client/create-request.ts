import type { BodyOf } from "@slipway/api/contract/route";
import { getTemplate, getTemplateByName } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import {
  getTemplateVersionByName,
  listTemplateVersionPresets,
} from "@slipway/api/templates/version-routes";
import type { createWorkspace } from "@slipway/api/workspaces/routes";

import type { ApiClient } from "../http/client.ts";
import { ApiError } from "../http/errors.ts";
import { WorkspaceError } from "./errors.ts";

/** The template, preset and values that a workspace is created from. */
export interface WorkspaceSource {
  /** The name or id of the template. */
  readonly template: string;
  /** The name of the version (default: the active one). */
  readonly version?: string;
  /** The name of a preset (default: the one that the parameters match, if any). */
  readonly preset?: string;
  /** Values of parameters by name; the preset and the template decide the others. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The name or id of the template's organization (default: `default`). */
  readonly organization?: string;
  /** The time after which the workspace is stopped or deleted, in milliseconds: at least a minute. */
  readonly timeoutMs?: number;
  /** The effect of `timeoutMs` (default: `delete`). */
  readonly onTimeout?: "stop" | "delete";
}

type CreateBody = Omit<BodyOf<typeof createWorkspace>, "name">;

/** Returns the request for a workspace, with the ids of what the source names. Throws `WorkspaceError` "not-found". */
export async function createRequest(
  source: WorkspaceSource,
  client: ApiClient,
  signal: AbortSignal,
): Promise<CreateBody> {
  const { parameters = {}, version, preset, timeoutMs, onTimeout = "delete" } = source;
  const template = await findTemplate(source, client, signal);
  const versionId =
    version === undefined ? undefined : await findVersion(template, version, client, signal);
  const presetId =
    preset === undefined
      ? undefined
      : await findPreset(versionId ?? template.active_version_id, preset, client, signal);
  return {
    ...(versionId === undefined
      ? { template_id: template.id }
      : { template_version_id: versionId }),
    ...(presetId === undefined ? {} : { template_version_preset_id: presetId }),
    rich_parameter_values: Object.entries(parameters).map(([name, value]) => ({ name, value })),
    ...(timeoutMs === undefined ? {} : { ttl_ms: timeoutMs, on_deadline: onTimeout }),
  };
}

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function findTemplate(
  { template, organization = "default" }: WorkspaceSource,
  client: ApiClient,
  signal: AbortSignal,
): Promise<Template> {
  const found = uuid.test(template)
    ? client.call(getTemplate, { params: { template }, signal })
    : client.call(getTemplateByName, { params: { organization, name: template }, signal });
  return orNotFound(found, `template ${template}`);
}

async function findVersion(
  template: Pick<Template, "id" | "name">,
  name: string,
  client: ApiClient,
  signal: AbortSignal,
): Promise<string> {
  const params = { template: template.id, name };
  const found = client.call(getTemplateVersionByName, { params, signal });
  return (await orNotFound(found, `version ${name} of template ${template.name}`)).id;
}

async function findPreset(
  version: string,
  name: string,
  client: ApiClient,
  signal: AbortSignal,
): Promise<string> {
  const presets = await client.call(listTemplateVersionPresets, { params: { version }, signal });
  const found = presets.find((preset) => preset.Name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found.ID;
  const names = presets.map((preset) => preset.Name).join(", ");
  throw notFound(`preset ${name}, wanted one of ${names || "none"}`);
}

async function orNotFound<T>(found: Promise<T>, thing: string): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    throw notFound(thing);
  }
}

function notFound(thing: string): WorkspaceError {
  return new WorkspaceError("not-found", `there is no ${thing}`, { admitted: "no" });
}
