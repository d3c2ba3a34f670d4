import type { SharingLevel } from "@slipway/api/agents/app";
import { listBuildParameters } from "@slipway/api/builds/routes";
import { prebuildsUsername } from "@slipway/api/prebuilds/prebuild";
import { listTemplates } from "@slipway/api/templates/routes";
import {
  type CorsBehavior,
  type UpdateTemplateRequest,
  weekdays,
} from "@slipway/api/templates/template";
import { listTemplateVersions } from "@slipway/api/templates/version-routes";
import { listUsers } from "@slipway/api/users/routes";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { type JsonObject, listOf, numberOf, objectOf, textOf } from "@slipway/runtime";

import { CommandError } from "../../../command/errors.ts";
import { readPages } from "../../../command/search-pages.ts";
import type { PatientClient } from "./patient-client.ts";

/*
 * Reads what a server of any release has, with the fields that a release lacks as empty. Only what an import needs is kept.
 */

export interface SourceUser {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly loginType: string;
  readonly isSuspended: boolean;
  readonly roles: readonly string[];
}

export interface SourceVersion {
  readonly id: string;
  readonly name: string;
  readonly message: string;
  readonly fileId: string;
  readonly createdAt: string;
  /** The status of its import, such as `succeeded`. */
  readonly status: string;
}

export interface SourceTemplate {
  readonly id: string;
  readonly name: string;
  /** The kind of its archives, such as `terraform`. */
  readonly provisioner: string;
  readonly activeVersionId: string;
  readonly deprecationMessage: string;
  readonly settings: UpdateTemplateRequest;
  /** The days on which its workspaces may start by schedule; none if the server has no such rule. */
  readonly autostartDays: readonly string[];
  /** From the oldest to the newest. */
  readonly versions: readonly SourceVersion[];
}

export interface SourceWorkspace {
  readonly name: string;
  readonly ownerName: string;
  readonly templateId: string;
  readonly versionId: string;
  readonly versionName: string;
  readonly buildId: string;
  readonly autostart: string | undefined;
  readonly ttlMs: number | undefined;
  readonly updatesAutomatically: boolean;
  /** Known only for workspaces of the token's own user. */
  readonly isFavorite: boolean;
  readonly isDormant: boolean;
}

export interface SourceDeployment {
  readonly users: readonly SourceUser[];
  readonly templates: readonly SourceTemplate[];
  readonly workspaces: readonly SourceWorkspace[];
}

/** The maximum number of users, and of workspaces, of one server. */
const maxEntries = 100_000;

/** Reads the users of a server. */
export async function readUsers(server: PatientClient): Promise<SourceUser[]> {
  const users = await readEntries("users", async (query) =>
    listOf(objectOf(await server.call(listUsers, { query }))["users"]),
  );
  return users
    .map(objectOf)
    .map((user) => ({
      username: textOf(user["username"]),
      email: textOf(user["email"]),
      name: textOf(user["name"]),
      loginType: textOf(user["login_type"]) || "password",
      isSuspended: user["status"] === "suspended",
      roles: listOf(user["roles"]).map((role) => textOf(objectOf(role)["name"])),
    }))
    .filter(({ username }) => username !== prebuildsUsername);
}

/** Reads the templates of a server, including deprecated ones, with their versions that are not archived. */
export async function readTemplates(server: PatientClient): Promise<SourceTemplate[]> {
  const found = new Map<string, JsonObject>();
  // Stock servers list deprecated templates only on request.
  for (const q of ["", "deprecated:true"]) {
    const query = q === "" ? {} : { q };
    for (const template of listOf(await server.call(listTemplates, { query })).map(objectOf))
      found.set(textOf(template["id"]), template);
  }
  const templates: SourceTemplate[] = [];
  for (const [id, template] of found) templates.push(await readTemplate(server, id, template));
  return templates.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function readTemplate(
  server: PatientClient,
  id: string,
  template: JsonObject,
): Promise<SourceTemplate> {
  const versions = listOf(await server.call(listTemplateVersions, { params: { template: id } }));
  return {
    id,
    name: textOf(template["name"]),
    provisioner: textOf(template["provisioner"]),
    activeVersionId: textOf(template["active_version_id"]),
    deprecationMessage: textOf(template["deprecation_message"]),
    settings: readSettings(template),
    autostartDays: listOf(objectOf(template["autostart_requirement"])["days_of_week"]).map(textOf),
    versions: versions
      .map(objectOf)
      .map(readVersion)
      .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt)),
  };
}

function readVersion(version: JsonObject): SourceVersion {
  const job = objectOf(version["job"]);
  return {
    id: textOf(version["id"]),
    name: textOf(version["name"]),
    message: textOf(version["message"]),
    fileId: textOf(job["file_id"]),
    createdAt: textOf(version["created_at"]),
    status: textOf(job["status"]),
  };
}

const sharingLevels = [
  "owner",
  "authenticated",
  "organization",
  "public",
] as const satisfies SharingLevel[];
const corsBehaviors = ["simple", "passthru"] as const satisfies CorsBehavior[];

/** Reads the settings that this server has too; those that the other one lacks are left out. */
function readSettings(template: JsonObject): UpdateTemplateRequest {
  const autostop = objectOf(template["autostop_requirement"]);
  const days = listOf(autostop["days_of_week"]);
  const sharing = wordOf(sharingLevels, template["max_port_share_level"]);
  const cors = wordOf(corsBehaviors, template["cors_behavior"]);
  return {
    display_name: textOf(template["display_name"]),
    description: textOf(template["description"]),
    icon: textOf(template["icon"]),
    default_ttl_ms: numberOf(template["default_ttl_ms"]),
    activity_bump_ms: numberOf(template["activity_bump_ms"]),
    failure_ttl_ms: numberOf(template["failure_ttl_ms"]),
    time_til_dormant_ms: numberOf(template["time_til_dormant_ms"]),
    time_til_dormant_autodelete_ms: numberOf(template["time_til_dormant_autodelete_ms"]),
    autostop_requirement: {
      days_of_week: weekdays.filter((day) => days.includes(day)),
      weeks: numberOf(autostop["weeks"]),
    },
    ...switchOf(template, "require_active_version"),
    ...switchOf(template, "allow_user_autostart"),
    ...switchOf(template, "allow_user_autostop"),
    ...switchOf(template, "allow_user_cancel_workspace_jobs"),
    ...switchOf(template, "use_classic_parameter_flow"),
    ...(sharing === undefined ? {} : { max_port_share_level: sharing }),
    ...(cors === undefined ? {} : { cors_behavior: cors }),
  };
}

function switchOf<K extends string>(object: JsonObject, key: K): { readonly [P in K]?: boolean } {
  const value = object[key];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key widens to string
  return (typeof value === "boolean" ? { [key]: value } : {}) as { readonly [P in K]?: boolean };
}

function wordOf<W extends string>(words: readonly W[], value: unknown): W | undefined {
  return words.find((word) => word === value);
}

/** Reads the workspaces of a server, without those that wait in pools. */
export async function readWorkspaces(server: PatientClient): Promise<SourceWorkspace[]> {
  const workspaces = await readEntries("workspaces", async (query) =>
    listOf(objectOf(await server.call(listWorkspaces, { query }))["workspaces"]).map(readWorkspace),
  );
  const key = ({ ownerName, name }: SourceWorkspace): string => `${ownerName}/${name}`;
  return workspaces
    .filter(({ ownerName }) => ownerName !== prebuildsUsername)
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function readWorkspace(value: unknown): SourceWorkspace {
  const workspace = objectOf(value);
  const build = objectOf(workspace["latest_build"]);
  const ttlMs = numberOf(workspace["ttl_ms"]);
  return {
    name: textOf(workspace["name"]),
    ownerName: textOf(workspace["owner_name"]),
    templateId: textOf(workspace["template_id"]),
    versionId: textOf(build["template_version_id"]),
    versionName: textOf(build["template_version_name"]),
    buildId: textOf(build["id"]),
    autostart: textOf(workspace["autostart_schedule"]) || undefined,
    ttlMs: ttlMs > 0 ? ttlMs : undefined,
    updatesAutomatically: workspace["automatic_updates"] === "always",
    isFavorite: workspace["favorite"] === true,
    isDormant: textOf(workspace["dormant_at"]) !== "",
  };
}

/** Reads the parameter values of a workspace's newest build. */
export async function readParameters(
  server: PatientClient,
  { buildId }: SourceWorkspace,
): Promise<{ readonly name: string; readonly value: string }[]> {
  const values = listOf(await server.call(listBuildParameters, { params: { build: buildId } })).map(
    objectOf,
  );
  return values.map(({ name, value }) => ({ name: textOf(name), value: textOf(value) }));
}

async function readEntries<T>(
  what: string,
  read: (query: Readonly<Record<"limit" | "offset", string>>) => Promise<readonly T[]>,
): Promise<T[]> {
  const entries = await readPages({ limit: maxEntries + 1, offset: 0 }, read);
  if (entries.length <= maxEntries) return entries;
  throw new CommandError(`the server lists more than ${maxEntries} ${what}`);
}
