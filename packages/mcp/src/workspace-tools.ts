import type { Transition } from "@slipway/api/builds/resource";
import { listTemplateVersionParameters } from "@slipway/api/templates/parameter-routes";
import { listTemplates as listTemplatesRoute } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { readinessOf } from "@slipway/api/workspaces/readiness";
import {
  createWorkspace as createRoute,
  getWorkspace,
  listWorkspaces as listRoute,
} from "@slipway/api/workspaces/routes";
import { DeadlineAction, type Workspace } from "@slipway/api/workspaces/workspace";
import { Backoff } from "@slipway/runtime";
import { type Static, Type } from "typebox";

import { defaultWaitSeconds, maxListed, maxWaitSeconds } from "./limits.ts";
import { defineTool, type ToolContext, ToolError } from "./tool.ts";
import { findWorkspace, WorkspaceArgument } from "./workspace-reference.ts";

const WaitArgument = Type.Optional(
  Type.Integer({
    description: `Seconds to wait until it is done (default: ${defaultWaitSeconds}, 0: return at once).`,
    minimum: 0,
    maximum: maxWaitSeconds,
  }),
);

const WorkspaceSummary = Type.Object({
  id: Type.String(),
  name: Type.String(),
  owner: Type.String(),
  template: Type.String(),
  status: Type.String({ description: "Such as running, starting, stopped or failed." }),
  last_used_at: Type.String(),
  deadline: Type.Optional(
    Type.String({ description: "When it stops or is deleted; left out if it runs without limit." }),
  ),
  on_deadline: Type.Optional(DeadlineAction),
});

const WorkspaceState = Type.Object({
  workspace: WorkspaceSummary,
  is_ready: Type.Boolean({
    description: "True once the build is done and, after a start, commands can be run.",
  }),
  waiting_for: Type.Optional(
    Type.String({ description: "What it is still waiting for; call again to wait longer." }),
  ),
});

const TemplateSummary = Type.Object({
  name: Type.String(),
  description: Type.String(),
  presets: Type.Optional(Type.Array(Type.String())),
  parameters: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        type: Type.String(),
        description: Type.String(),
        default: Type.String(),
        is_required: Type.Boolean(),
        options: Type.Array(Type.String()),
      }),
    ),
  ),
});

export const listTemplates = defineTool({
  name: "list_templates",
  title: "List templates",
  description:
    "List the templates from which workspaces can be created, with presets and parameters.",
  traits: { isReadOnly: true, isDestructive: false, isIdempotent: true },
  scopes: ["template:read"],
  input: Type.Object({
    name: Type.Optional(
      Type.String({
        description: "List only this template, with its presets and parameters.",
        maxLength: 64,
      }),
    ),
  }),
  output: Type.Object({
    templates: Type.Array(TemplateSummary),
    is_truncated: Type.Boolean(),
  }),
  run: async ({ name }, { api, signal }) => {
    const all = await api.call(listTemplatesRoute, { signal });
    const wanted = all.filter(
      (one) => !one.deprecated && (name === undefined || one.name === name),
    );
    if (name !== undefined && wanted.length === 0)
      throw new ToolError(`there is no template ${name}`);
    const templates = wanted
      .slice(0, maxListed)
      .map((template) => describeTemplate(template, name !== undefined, { api, signal }));
    return { templates: await Promise.all(templates), is_truncated: wanted.length > maxListed };
  },
});

/** Describes a template, with the presets and parameters of its active version if they are wanted. */
async function describeTemplate(
  { name, description, active_version_id: version }: Template,
  isDetailed: boolean,
  { api, signal }: Pick<ToolContext, "api" | "signal">,
): Promise<Static<typeof TemplateSummary>> {
  if (!isDetailed) return { name, description };
  const params = { version };
  const [presets, parameters] = await Promise.all([
    api.call(listTemplateVersionPresets, { params, signal }),
    api.call(listTemplateVersionParameters, { params, signal }),
  ]);
  return {
    name,
    description,
    presets: presets.map((preset) => preset.Name),
    parameters: parameters.map((parameter) => ({
      name: parameter.name,
      type: parameter.type,
      description: parameter.description_plaintext,
      default: parameter.default_value,
      is_required: parameter.required,
      options: parameter.options.map(({ value }) => value),
    })),
  };
}

export const listWorkspaces = defineTool({
  name: "list_workspaces",
  title: "List workspaces",
  description: "List workspaces; by default those of the caller.",
  traits: { isReadOnly: true, isDestructive: false, isIdempotent: true },
  scopes: ["workspace:read"],
  input: Type.Object({
    query: Type.Optional(
      Type.String({
        description: "A filter, such as owner:me status:running template:demo (default: owner:me).",
        maxLength: 1024,
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxListed })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  }),
  output: Type.Object({
    workspaces: Type.Array(WorkspaceSummary),
    count: Type.Integer({ description: "The number of all that match." }),
    is_truncated: Type.Boolean({ description: "True if more follow: ask for them by offset." }),
  }),
  run: async ({ query: q = "owner:me", limit = 25, offset = 0 }, { api, signal }) => {
    const query = { q, limit: String(limit), offset: String(offset) };
    const { workspaces, count } = await api.call(listRoute, { query, signal });
    return {
      workspaces: workspaces.map(summaryOf),
      count,
      is_truncated: offset + workspaces.length < count,
    };
  },
});

export const createWorkspace = defineTool({
  name: "create_workspace",
  title: "Create a workspace",
  description:
    "Create a workspace from a template and wait until commands can be run in it. Set ttl_minutes and on_deadline to " +
    "delete for a workspace that cleans up after itself.",
  traits: { isReadOnly: false, isDestructive: false, isIdempotent: false },
  scopes: ["template:read", "workspace:create", "workspace:read"],
  input: Type.Object({
    template: Type.String({
      description: "The name of the template.",
      minLength: 1,
      maxLength: 64,
    }),
    name: Type.String({ description: "The name of the workspace.", minLength: 1, maxLength: 32 }),
    preset: Type.Optional(Type.String({ description: "The name of a preset.", maxLength: 256 })),
    parameters: Type.Optional(
      Type.Record(Type.String({ maxLength: 128 }), Type.String({ maxLength: 65_536 }), {
        description: "Values of the template's parameters by name.",
        maxProperties: 100,
      }),
    ),
    ttl_minutes: Type.Optional(
      Type.Integer({
        description: "Minutes after which it is stopped or deleted (default: the template's).",
        minimum: 1,
        maximum: 43_200,
      }),
    ),
    on_deadline: Type.Optional(DeadlineAction),
    wait_seconds: WaitArgument,
  }),
  output: WorkspaceState,
  run: async (input, context) => {
    const { api, signal } = context;
    const templates = await api.call(listTemplatesRoute, { signal });
    const template = templates.find((one) => one.name === input.template);
    if (template === undefined) throw unknownTemplate(input.template, templates);
    const presetId =
      input.preset === undefined
        ? undefined
        : await findPreset(template.active_version_id, input.preset, context);
    const parameters = Object.entries(input.parameters ?? {});
    const workspace = await api.call(createRoute, {
      params: { user: "me" },
      body: {
        name: input.name,
        template_id: template.id,
        rich_parameter_values: parameters.map(([name, value]) => ({ name, value })),
        ...(presetId === undefined ? {} : { template_version_preset_id: presetId }),
        ...(input.ttl_minutes === undefined ? {} : { ttl_ms: input.ttl_minutes * 60_000 }),
        ...(input.on_deadline === undefined ? {} : { on_deadline: input.on_deadline }),
      },
      signal,
    });
    context.concerns({
      id: workspace.id,
      name: workspace.name,
      organizationId: workspace.organization_id,
    });
    return waitForBuild(workspace, input.wait_seconds, context);
  },
});

export const startWorkspace = defineTool({
  name: "start_workspace",
  title: "Start a workspace",
  description:
    "Start a stopped workspace and wait until commands can be run in it; also waits for one that is starting.",
  traits: { isReadOnly: false, isDestructive: false, isIdempotent: true },
  scopes: ["workspace:read", "workspace:start"],
  input: Type.Object({ workspace: WorkspaceArgument, wait_seconds: WaitArgument }),
  output: WorkspaceState,
  run: (input, context) => changeWorkspace("start", input, context),
});

export const stopWorkspace = defineTool({
  name: "stop_workspace",
  title: "Stop a workspace",
  description:
    "Stop a workspace; everything that runs in it ends, and what its template keeps on disk stays.",
  traits: { isReadOnly: false, isDestructive: true, isIdempotent: true },
  scopes: ["workspace:read", "workspace:stop"],
  input: Type.Object({ workspace: WorkspaceArgument, wait_seconds: WaitArgument }),
  output: WorkspaceState,
  run: (input, context) => changeWorkspace("stop", input, context),
});

export const deleteWorkspace = defineTool({
  name: "delete_workspace",
  title: "Delete a workspace",
  description: "Delete a workspace with everything in it. This cannot be undone.",
  traits: { isReadOnly: false, isDestructive: true, isIdempotent: true },
  scopes: ["workspace:read", "workspace:delete"],
  input: Type.Object({ workspace: WorkspaceArgument, wait_seconds: WaitArgument }),
  output: WorkspaceState,
  run: (input, context) => changeWorkspace("delete", input, context),
});

interface ChangeInput {
  readonly workspace: string;
  readonly wait_seconds?: number;
}

/** Requests a build, unless the newest one has done or is doing the same, and waits for it. */
async function changeWorkspace(
  transition: Transition,
  { workspace: text, wait_seconds }: ChangeInput,
  context: ToolContext,
): Promise<Static<typeof WorkspaceState>> {
  const { api, signal } = context;
  const workspace = await findWorkspace(text, context);
  const { latest_build: current } = workspace;
  const { status } = current.job;
  if (current.transition === transition && status !== "failed" && status !== "canceled") {
    return waitForBuild(workspace, wait_seconds, context);
  }
  const params = { workspace: workspace.id };
  const build = await api.call(createBuild, { params, body: { transition }, signal });
  return waitForBuild({ ...workspace, latest_build: build }, wait_seconds, context);
}

/** The delays between two looks at a workspace. */
const lookAgain = { firstMs: 50, maxMs: 1_000, factor: 1.4, jitter: 0.2 };

/** Waits for the build of a workspace for a while; tells how far it is then. Throws `ToolError` if it has failed. */
async function waitForBuild(
  workspace: Workspace,
  waitSeconds: number | undefined,
  { api, clock, signal, report }: ToolContext,
): Promise<Static<typeof WorkspaceState>> {
  const untilMs = clock.monotonic() + (waitSeconds ?? defaultWaitSeconds) * 1000;
  const backoff = new Backoff(lookAgain);
  const params = { workspace: workspace.id };
  const query = { include_deleted: "true" };
  let current = workspace;
  for (let last = ""; ;) {
    const readiness = readinessOf(current.latest_build);
    if (readiness.kind === "failed") throw new ToolError(readiness.text);
    const summary = summaryOf(current);
    if (readiness.kind === "over") return { workspace: summary, is_ready: true };
    const { text } = readiness;
    if (clock.monotonic() >= untilMs) {
      return { workspace: summary, is_ready: false, waiting_for: text };
    }
    if (text !== last) report(text);
    last = text;
    await clock.sleep(backoff.next(), signal);
    current = await api.call(getWorkspace, { params, query, signal });
  }
}

async function findPreset(
  version: string,
  name: string,
  { api, signal }: ToolContext,
): Promise<string> {
  const presets = await api.call(listTemplateVersionPresets, { params: { version }, signal });
  const found = presets.find((preset) => preset.Name === name);
  if (found !== undefined) return found.ID;
  const names = presets.map((preset) => preset.Name).join(", ");
  throw new ToolError(`the template has no preset ${name}, found: ${names || "none"}`);
}

function unknownTemplate(
  name: string,
  templates: readonly { readonly name: string; readonly deprecated: boolean }[],
): ToolError {
  const usable = templates.filter(({ deprecated }) => !deprecated);
  const names = usable.slice(0, maxListed).map((one) => one.name);
  return new ToolError(`there is no template ${name}, found: ${names.join(", ") || "none"}`);
}

function summaryOf(workspace: Workspace): Static<typeof WorkspaceSummary> {
  const { latest_build: build, on_deadline } = workspace;
  return {
    id: workspace.id,
    name: workspace.name,
    owner: workspace.owner_name,
    template: workspace.template_name,
    status: build.status,
    last_used_at: workspace.last_used_at,
    ...(build.deadline === null ? {} : { deadline: build.deadline }),
    ...(on_deadline === undefined ? {} : { on_deadline }),
  };
}
