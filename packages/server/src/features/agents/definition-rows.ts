import type { AppDefinition, ScriptDefinition } from "@slipway/template";

import type { AppRow, ScriptRow } from "./agent-read-queries.ts";

/** The columns that the template sets. */
type ScriptColumns = Omit<
  ScriptRow,
  "id" | "workspace_agent_id" | "position" | "log_source_id" | "exit_code" | "status"
>;
type AppColumns = Omit<AppRow, "id" | "workspace_agent_id" | "position" | "statuses">;

/** Returns a script as a row: the template's columns and those of `place`. */
export function scriptRow<P extends object>(script: ScriptDefinition, place: P): P & ScriptColumns {
  return {
    ...place,
    log_path: script.logPath,
    script: script.run,
    cron: script.cron,
    run_on_start: script.runOnStart,
    run_on_stop: script.runOnStop,
    start_blocks_login: script.blocksLogin,
    timeout_seconds: script.timeoutSeconds,
    display_name: scriptName(script),
  };
}

/** Returns the display name of a script and of its log source. */
export function scriptName(script: ScriptDefinition): string {
  return script.displayName === "" ? script.key : script.displayName;
}

/** Returns an app as a row: the template's columns and those of `place`. */
export function appRow<P extends object>(app: AppDefinition, place: P): P & AppColumns {
  return {
    ...place,
    slug: app.slug,
    display_name: app.displayName,
    url: app.url,
    command: app.command,
    icon: app.icon,
    external: app.isExternal,
    subdomain: app.isSubdomain,
    sharing_level: app.share,
    healthcheck_url: app.health?.url ?? "",
    healthcheck_interval_seconds: app.health?.intervalSeconds ?? 0,
    healthcheck_threshold: app.health?.threshold ?? 0,
    health: app.health === undefined ? "disabled" : "initializing",
    app_group: app.group,
    hidden: app.isHidden,
    open_in: app.openIn,
    tooltip: app.tooltip,
  };
}
