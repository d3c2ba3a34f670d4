import { getConnection } from "@slipway/api/agents/connection-routes";
import { startRun } from "@slipway/api/agents/run-routes";
import type { Route } from "@slipway/api/contract/route";
import type { ScopeName } from "@slipway/api/contract/scopes";
import { callMcp } from "@slipway/api/deployment/mcp-routes";
import { getSshConfig, listRegions } from "@slipway/api/deployment/routes";
import {
  listProvisionerDaemons,
  listProvisionerJobs,
} from "@slipway/api/organizations/provisioner-routes";
import { diffTemplateVersions, updateActiveVersion } from "@slipway/api/templates/version-routes";

/** The kind of reference by which a text in a request names a thing in allow lists. */
export type ReferenceKind =
  | "workspace"
  /** An agent, build or name, with its owner in the path: of a workspace. */
  | "agent"
  | "build"
  | "workspace name"
  /** By id, or within an organization by name. */
  | "template"
  /** A version or preset: of a template. */
  | "version"
  | "preset"
  | "file"
  | "user"
  | "organization"
  /** Part of the thing named earlier in the path, or nothing that an allow list can name. */
  | "nothing";

/** Path parameters, each with the segment before it. */
const pathNamings: Readonly<Record<string, ReferenceKind>> = {
  "workspaces/:workspace": "workspace",
  "workspace/:name": "workspace name",
  "workspaceagents/:agent": "agent",
  "workspacebuilds/:build": "build",
  "templates/:template": "template",
  "templates/:name": "template",
  "templateversions/:version": "version",
  "files/:file": "file",
  "users/:user": "user",
  "members/:user": "user",
  "organizations/:organization": "organization",
  "builds/:number": "nothing",
  "provisionerkeys/:key": "nothing",
  "devcontainers/:devcontainer": "nothing",
  "dry-run/:job": "nothing",
  "external-agent/:agent": "nothing",
  "external-auth/:provider": "nothing",
  "keys/:key": "nothing",
  "runs/:run": "nothing",
  "tokens/:name": "nothing",
  "versions/:name": "nothing",
};

/** Fields of bodies and queries. */
const fieldNamings: Readonly<Record<string, ReferenceKind>> = {
  file_id: "file",
  template_id: "template",
  template_version_id: "version",
  template_version_preset_id: "preset",
};

/** Fields that name a thing on one route only. */
const fieldNamingsOfRoutes = new Map<Route, Readonly<Record<string, ReferenceKind>>>([
  [diffTemplateVersions, { from: "version" }],
  [updateActiveVersion, { id: "version" }],
  // The id of the new run, and a user of the machine.
  [startRun, { id: "nothing", user: "nothing" }],
]);

/** Things that routes refer to without a field in the request. */
const alsoAbout = new Map<Route, readonly string[]>([
  [listProvisionerDaemons, ["workspace:*", "template:*"]],
  [listProvisionerJobs, ["workspace:*", "template:*"]],
]);

/**
 * Routes that every connection to a workspace requests first, and that reveal nothing an allow list could name. Each tool
 * of the MCP server uses other routes.
 */
const aboutNothing = new Set<Route>([getSshConfig, listRegions, getConnection, callMcp]);

export type ThingType = "workspace" | "template" | "file" | "user" | "organization";

/** Returns the type by which an allow list names such a thing. */
export function thingTypeOf(naming: Exclude<ReferenceKind, "nothing">): ThingType {
  switch (naming) {
    case "workspace":
    case "agent":
    case "build":
    case "workspace name":
      return "workspace";
    case "template":
    case "version":
    case "preset":
      return "template";
    case "file":
    case "user":
    case "organization":
      return naming;
  }
}

interface NamedField {
  readonly place: "params" | "query" | "body";
  readonly field: string;
  readonly naming: Exclude<ReferenceKind, "nothing">;
}

export interface RouteThings {
  /** The fields that may name things; a request need not have all of them. */
  readonly named: readonly NamedField[];
  /** Entries that an allow list must always contain. */
  readonly always: readonly string[];
  /**
   * The type of the scope that allows the route. A request that names nothing of that type refers to all things of it:
   * it lists them, or creates one. Undefined for a route that refers to nothing.
   */
  readonly ownType: string | undefined;
}

/** Returns the things that requests of a route may refer to, according to its contract. */
export function thingsOf(route: Route, scope: ScopeName | undefined): RouteThings {
  if (aboutNothing.has(route)) return { named: [], always: [], ownType: undefined };
  const [ownType = ""] = scope?.split(":") ?? [];
  const named = fieldsOf(route).filter(
    // The organization, and the owner in the path of a workspace, say where a thing is, not what the request refers
    // to.
    ({ field, naming }) =>
      (naming !== "organization" || ownType === "organization") &&
      (field !== "user" || !route.path.includes("/workspace/:name")),
  );
  return { named, always: alsoAbout.get(route) ?? [], ownType };
}

function fieldsOf(route: Route): readonly NamedField[] {
  const own = fieldNamingsOfRoutes.get(route) ?? {};
  const inPath = parametersOf(route).map(
    ({ name, key }) => ({ place: "params", field: name, naming: pathNamings[key] }) as const,
  );
  const inRest = (["query", "body"] as const).flatMap((place) =>
    // A field outside the contract is not read, and names nothing.
    propertiesOf(route[place]).map(
      (field) => ({ place, field, naming: own[field] ?? fieldNamings[field] }) as const,
    ),
  );
  return [...inPath, ...inRest].flatMap(({ place, field, naming }) =>
    naming === undefined || naming === "nothing" ? [] : [{ place, field, naming }],
  );
}

function propertiesOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null || !("properties" in schema)) return [];
  return Object.keys(schema.properties ?? {});
}

function parametersOf({ path }: Route): readonly { readonly name: string; readonly key: string }[] {
  const segments = path.split("/");
  return segments.flatMap((segment, index) =>
    segment.startsWith(":")
      ? [{ name: segment.slice(1), key: `${segments[index - 1] ?? ""}/${segment}` }]
      : [],
  );
}

/** Returns the path parameters of a route with an unknown kind of reference; for a test. */
export function unknownParameters(route: Route): readonly string[] {
  return parametersOf(route).flatMap(({ key }) => (key in pathNamings ? [] : [key]));
}

/** Returns whether a field of a body or query is known to name a thing; for a test. */
export function isNamingField(route: Route, field: string): boolean {
  const own = fieldNamingsOfRoutes.get(route) ?? {};
  return field in fieldNamings || field in own;
}
