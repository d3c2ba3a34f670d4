import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import { migrate, openDatabase } from "@slipway/server";

/*
 * Writes the types of the tables from a freshly migrated database; with --check compares instead.
 */

const out = "packages/server/src/platform/db/gen/schema.ts";
const api = (name: string): string => `import("@slipway/api").${name}`;

/** Columns that a check constraint keeps to a list have the list's type. */
const columns = {
  "jobs.type": api("JobType"),
  "job_logs.log_source": api('JobLog["log_source"]'),
  "job_logs.log_level": api("LogLevel"),
  "users.status": `Generated<${api('User["status"]')}>`,
  "users.login_type": `Generated<${api('User["login_type"]')}>`,
  "workspace_builds.transition": api("Transition"),
  "workspace_builds.reason": api("BuildReason"),
  "template_version_presets.prebuild_status": `Generated<${api("PrebuildStatus")}>`,
  "workspaces.automatic_updates": `Generated<${api('Workspace["automatic_updates"]')}>`,
  "audit_log.action": api("AuditAction"),
  "audit_log.resource_type": api("AuditResourceType"),
  "workspace_resources.workspace_transition": api("Transition"),
  "workspace_agents.lifecycle_state": `Generated<${api("LifecycleState")}>`,
  "workspace_agents.display_apps": `Generated<${api("DisplayApp")}[]>`,
  "workspace_agents.subsystems": `Generated<${api("Subsystem")}[]>`,
  "workspace_agents.auth":
    'Generated<"token" | "aws-instance-identity" | "azure-instance-identity" | "google-instance-identity">',
  "tailnet_peers.latency": `NonNullable<${api('WorkspaceAgent["latency"]')}> | null`,
  // A view; PostgreSQL does not report that its columns are never null.
  ...Object.fromEntries(
    ["id", "name", "build_id", "workspace_id", "owner_id"].map((name) => [
      `live_agents.${name}`,
      "string",
    ]),
  ),
  "live_agents.auth_token_hash": "Buffer",
  "workspace_agent_logs.level": api("LogLevel"),
  "workspace_agent_script_timings.stage": api("ScriptStage"),
  "workspace_agent_script_timings.status": api("ScriptStatus"),
  "workspace_connections.type": api("ConnectionType"),
  "workspace_app_statuses.state": api('WorkspaceApp["statuses"][number]["state"]'),
  "workspace_apps.sharing_level": `Generated<${api("SharingLevel")}>`,
  "workspace_apps.health": `Generated<${api("AppHealth")}>`,
  "workspace_port_shares.share_level": `Exclude<${api("SharingLevel")}, "owner">`,
  "workspace_port_shares.protocol": api("PortProtocol"),
  "templates.max_port_share_level": `Generated<${api("SharingLevel")}>`,
  "templates.cors_behavior": `Generated<${api("CorsBehavior")}>`,
  "templates.autostop_days": `Generated<${api("Weekday")}[]>`,
  "workspace_apps.open_in": `Generated<${api("OpenIn")}>`,
};

const check = process.argv.includes("--check");
await using opened = new AsyncDisposableStack();
const dataDir = await mkdtemp(join(tmpdir(), "slipway-schema-"));
opened.defer(() => rm(dataDir, { recursive: true, force: true }));
const postgres = opened.use(
  await openEmbeddedPostgres({
    dataDir,
    logger: silentLogger,
    clock: systemClock,
    signal: AbortSignal.timeout(60_000),
  }),
);
const db = openDatabase(postgres.connection, silentLogger);
await migrate(db);
await db.destroy();
const { host, port, user, database } = postgres.connection;
const url = `postgres://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
const { stdout } = await promisify(execFile)("node_modules/.bin/kysely-codegen", [
  "--dialect=postgres",
  `--url=${url}`,
  `--out-file=${out}`,
  `--type-mapping=${JSON.stringify({ timestamptz: "string", int8: "number" })}`,
  `--overrides=${JSON.stringify({ columns })}`,
  "--exclude-pattern=kysely_*",
  ...(check ? ["--verify"] : []),
]);
process.stdout.write(stdout);
