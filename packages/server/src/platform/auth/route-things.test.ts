import { contract } from "@slipway/api/contract";
import { routesOf } from "@slipway/api/contract/route";
import { listTemplates } from "@slipway/api/templates/routes";
import { diffTemplateVersions } from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { describe, expect, it } from "vitest";

import { isNamingField, thingsOf, unknownParameters } from "./route-things.ts";

const routes = routesOf(contract).filter(({ route }) => route.scopes.length > 0);

/**
 * Text fields of bodies and queries that name no resource of an allow list. A new field is added here, or to
 * `route-things.ts`.
 */
const namingNothing: ReadonlySet<string> = new Set([
  // Names and texts of resources that are created or changed.
  "name",
  "display_name",
  "description",
  "icon",
  "message",
  "deprecation_message",
  "username",
  "token_name",
  "workspace_name",
  "schedule",
  "autostart_schedule",
  "deadline",
  "reason",
  "state",
  "value",
  // A login code, encrypted for its user.
  "device_code",
  // Examples of the server, and enumerated values.
  "example_id",
  "storage_method",
  "cors_behavior",
  "provisioner",
  // Unused: a form's values are checked without their owner.
  "owner_id",
  "user_id",
  // Filters of lists, which apply to all resources of their types.
  "q",
  "ids",
  "status",
  "tags",
  "initiator",
  "max_age",
  "include_all",
  "include_expired",
  "limit",
  "offset",
  // A selection within the resource in the path.
  "agent_name",
  "after",
  "before",
  "follow",
  "format",
  "no_compression",
  "expect_status",
  "include_archived",
  "include_deleted",
  "offline",
  "tz_offset",
  // Files of the workspace in the path.
  "path",
  "from",
  "to",
  "mode",
  "modified_at",
  "if_match",
  "search",
  "replace",
  "pattern",
  "globs",
  // Options of a terminal, a container or a network.
  "version",
  "resume_token",
  "reconnect",
  "width",
  "height",
  "command",
  "container",
  "container_user",
  "backend_type",
  "viewer",
  "received",
  "label",
  // The instance of an agent, and options of a command and its output.
  "instance_id",
  "argv",
  "workdir",
  "wait_ms",
  "encoding",
  "data",
  "signal",
  // Rights of a new token, which are compared with those of the caller's token.
  "scope",
  "scopes",
  "allow_list",
]);

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** Returns the names of all free-text fields of a schema, at any depth. */
function textFields(schema: Schema | undefined, name = ""): readonly string[] {
  if (schema === undefined) return [];
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([field, one]) => textFields(one, field)),
    ...textFields(schema.items, name),
    ...(schema.anyOf ?? []).flatMap((one) => textFields(one, name)),
  ];
  const isText =
    schema.type === "string" && schema.const === undefined && schema.enum === undefined;
  return isText && name !== "" ? [...below, name] : below;
}

describe.each(routes)("$name", ({ route }) => {
  it("names in its path what is known", () => {
    expect(unknownParameters(route)).toEqual([]);
  });

  it("names in its body and query what is known", () => {
    const schemas = [route.query, route.body] as readonly (Schema | undefined)[];
    const unknown = schemas
      .flatMap((schema) => textFields(schema))
      .filter((field) => !isNamingField(route, field) && !namingNothing.has(field));
    expect(unknown).toEqual([]);
  });
});

describe("thingsOf", () => {
  it("finds them in the path, the body and the query", () => {
    const { named, ownType } = thingsOf(createBuild, "workspace:start");
    expect(ownType).toBe("workspace");
    expect(named).toEqual([
      { place: "params", field: "workspace", naming: "workspace" },
      { place: "body", field: "template_version_id", naming: "version" },
      { place: "body", field: "template_version_preset_id", naming: "preset" },
    ]);
    expect(thingsOf(diffTemplateVersions, "template:read").named).toContainEqual({
      place: "query",
      field: "from",
      naming: "version",
    });
  });

  it("knows no field that the contract does not", () => {
    expect(thingsOf(listTemplates, "template:read").named).toEqual([]);
  });
});
