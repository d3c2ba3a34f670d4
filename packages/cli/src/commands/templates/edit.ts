import type { SharingLevel } from "@slipway/api/agents/app";
import { nameProblem } from "@slipway/api/contract/name";
import { updateTemplate } from "@slipway/api/templates/routes";
import {
  type CorsBehavior,
  type Template,
  type Weekday,
  weekdays,
} from "@slipway/api/templates/template";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag, outputFlag, type TextFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { findTemplate, templateArgument } from "../../resources/templates/template-reference.ts";

/** The levels, from the one that admits the fewest users. */
const portShareLevels = ["owner", "organization", "authenticated", "public"] as const;

/** The server's rule, or each app's own headers. */
const corsBehaviors = ["simple", "passthru"] as const;

/**
 * A setting of `coder` that has a single value here: scripts that set that value continue, and any other is refused
 * with the reason rather than ignored.
 */
function onlyAt(choice: string): Pick<TextFlag, "kind" | "value" | "choices" | "hidden"> {
  return { kind: "text", value: "value", choices: [choice], hidden: true };
}

export const command = defineCommand({
  summary: "change a template's settings",
  description: "Change only the settings given as flags. An empty value clears a text.",
  arguments: { template: templateArgument },
  flags: {
    yes: ignoredYesFlag,
    name: { kind: "text", value: "name", summary: "new name" },
    displayName: { kind: "text", value: "text", summary: "display name" },
    description: { kind: "text", value: "text", summary: "description" },
    icon: { kind: "text", value: "path", summary: "address of the icon" },
    deprecated: {
      kind: "text",
      value: "message",
      summary: "reason to allow no new workspaces; an empty message allows them again",
    },
    defaultTtl: {
      kind: "text",
      value: "duration",
      summary: "time after which new workspaces stop automatically, such as 8h; 0 for never",
    },
    activityBump: {
      kind: "text",
      value: "duration",
      summary: "time by which activity delays the automatic stop",
    },
    failureTtl: {
      kind: "text",
      value: "duration",
      summary: "time after which a workspace whose start failed is stopped; 0 for never",
    },
    autostopRequirementWeekdays: {
      kind: "list",
      value: "day",
      summary:
        "weekdays on which running workspaces stop at midnight UTC, such as monday,friday; or none",
    },
    autostopRequirementWeeks: {
      kind: "integer",
      value: "n",
      summary: "stop on those weekdays only every n weeks, from 1 to 16",
    },
    requireActiveVersion: {
      kind: "text",
      value: "true|false",
      summary: "require workspaces to start with the active version",
    },
    maxPortShareLevel: {
      kind: "text",
      value: "level",
      summary: `widest level at which ports are shared: ${portShareLevels.join(", ")}`,
    },
    corsBehavior: {
      kind: "text",
      value: "behavior",
      summary: `which pages may read responses of apps: ${corsBehaviors.join(", ")}`,
    },
    allowUserAutostart: {
      kind: "text",
      value: "true|false",
      summary: "let users schedule starts of their workspaces",
    },
    allowUserAutostop: {
      kind: "text",
      value: "true|false",
      summary: "let users choose when their workspaces stop, instead of the default",
    },
    allowUserCancelWorkspaceJobs: {
      kind: "text",
      value: "true|false",
      summary: "let users cancel builds of their workspaces",
    },
    dormancyThreshold: {
      kind: "text",
      value: "duration",
      summary:
        "time after which unused workspaces are dormant: stopped until activated; 0 for never",
    },
    dormancyAutoDeletion: {
      kind: "text",
      value: "duration",
      summary: "time after which dormant workspaces are deleted, at least 1d; 0 for never",
    },
    autostartRequirementWeekdays: { ...onlyAt("all"), summary: "days of automatic starts: all" },
    private: {
      kind: "boolean",
      defaultValue: false,
      hidden: true,
      summary: "hide it from users without a grant: false",
    },
    output: outputFlag,
  },
  examples: [
    {
      line: 'slipway templates edit small --display-name "Small box"',
      summary: "change the display name",
    },
    {
      line: 'slipway templates edit small --deprecated "use large"',
      summary: "allow no new workspaces",
    },
    { line: "slipway templates edit small --default-ttl 8h", summary: "stop after 8 hours" },
    {
      line: "slipway templates edit small --max-port-share-level authenticated",
      summary: "share ports with users who are logged in, not with everyone",
    },
    {
      line: "slipway templates edit small --cors-behavior passthru",
      summary: "let apps say which pages may read their responses",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  if (options.private) {
    throw new UsageError("--private is false here: all users of a server may use its templates");
  }
  const body = changes(options);
  const isUnchangeable = fixedSettings.some((key) => options[key] !== undefined);
  const requirement = readRequirement(options);
  if (Object.keys(body).length === 0 && requirement === undefined && !isUnchangeable) {
    throw new UsageError("nothing to change: pass at least one flag");
  }
  const client = connect(settings);
  const template = await findTemplate(client, options.template, { settings, signal });
  const updated = await client.call(updateTemplate, {
    params: { template: template.id },
    body:
      requirement === undefined
        ? body
        : { ...body, autostop_requirement: { ...template.autostop_requirement, ...requirement } },
    signal,
  });
  if (options.output === "json") printJson(terminal.out, updated);
  else terminal.err.line(terminal.err.colors.green(`updated template ${updated.name}`));
  return exitCodes.ok;
}

/** The settings with a single value here, so that setting them changes nothing. */
const fixedSettings = ["autostartRequirementWeekdays"] as const;

/** Returns the changes that the flags request; flags that are not set are left out. */
function changes(options: OptionsOf<typeof command>): Readonly<Record<string, unknown>> {
  const { name, maxPortShareLevel, corsBehavior } = options;
  const problem = name === undefined ? undefined : nameProblem(name);
  if (problem !== undefined) throw new UsageError(`the name of the template ${problem}`);
  const all = {
    name,
    display_name: options.displayName,
    description: options.description,
    icon: options.icon,
    deprecation_message: options.deprecated,
    default_ttl_ms: readTime("--default-ttl", options.defaultTtl),
    activity_bump_ms: readTime("--activity-bump", options.activityBump),
    failure_ttl_ms: readTime("--failure-ttl", options.failureTtl),
    time_til_dormant_ms: readTime("--dormancy-threshold", options.dormancyThreshold),
    time_til_dormant_autodelete_ms: readTime(
      "--dormancy-auto-deletion",
      options.dormancyAutoDeletion,
    ),
    require_active_version: readTruth("--require-active-version", options.requireActiveVersion),
    allow_user_autostart: readTruth("--allow-user-autostart", options.allowUserAutostart),
    allow_user_autostop: readTruth("--allow-user-autostop", options.allowUserAutostop),
    allow_user_cancel_workspace_jobs: readTruth(
      "--allow-user-cancel-workspace-jobs",
      options.allowUserCancelWorkspaceJobs,
    ),
    max_port_share_level:
      maxPortShareLevel === undefined ? undefined : readPortShareLevel(maxPortShareLevel),
    cors_behavior: corsBehavior === undefined ? undefined : readCorsBehavior(corsBehavior),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Returns the part of the required stops that the flags change; undefined if there are none. */
function readRequirement({
  autostopRequirementWeekdays: given,
  autostopRequirementWeeks: weeks,
}: OptionsOf<typeof command>): Partial<Template["autostop_requirement"]> | undefined {
  const names = given.flatMap((text) => text.toLowerCase().split(","));
  if (names.length === 0 && weeks === undefined) return undefined;
  return {
    ...(names.length === 0
      ? {}
      : { days_of_week: names.join() === "none" ? [] : names.map(readDay) }),
    ...(weeks === undefined ? {} : { weeks }),
  };
}

function readDay(text: string): Weekday {
  const day = weekdays.find((one) => one === text.trim());
  if (day !== undefined) return day;
  throw new UsageError(
    `--autostop-requirement-weekdays is "${text}", wanted none, or some of ${weekdays.join(", ")}`,
  );
}

function readPortShareLevel(text: string): SharingLevel {
  const level = portShareLevels.find((one) => one === text);
  if (level !== undefined) return level;
  throw new UsageError(
    `--max-port-share-level is "${text}", wanted one of ${portShareLevels.join(", ")}`,
  );
}

function readCorsBehavior(text: string): CorsBehavior {
  const behavior = corsBehaviors.find((one) => one === text);
  if (behavior !== undefined) return behavior;
  throw new UsageError(`--cors-behavior is "${text}", wanted one of ${corsBehaviors.join(", ")}`);
}

function readTime(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : readDuration(flag, text);
}

function readTruth(flag: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === "true" || text === "false") return text === "true";
  throw new UsageError(`${flag} is "${text}", wanted true or false`);
}
