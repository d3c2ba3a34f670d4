import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import { migrate, openDatabase } from "@slipway/server";

/* Writes the types of the tables from a freshly migrated database; with --check, compares instead. */

const out = "packages/server/src/platform/db/gen/schema.ts";

/** Returns a type of the contract, or a part of it, by file and name. */
const api = (file: string, type: string): string => `import("@slipway/api/${file}").${type}`;

/** Types of the columns that a check constraint restricts to a list. */
const columns = {
  "jobs.type": api("jobs/job", "JobType"),
  "jobs.tags": `Generated<${api("jobs/provisioner", "ProvisionerTags")}>`,
  "provisioner_keys.tags": `Generated<${api("jobs/provisioner", "ProvisionerTags")}>`,
  "workers.tags": `Generated<${api("jobs/provisioner", "ProvisionerTags")}>`,
  "job_logs.log_source": api("jobs/job", 'JobLog["log_source"]'),
  "job_logs.log_level": api("jobs/job", "LogLevel"),
  "users.status": `Generated<${api("users/user", 'User["status"]')}>`,
  "users.login_type": `Generated<${api("users/user", 'User["login_type"]')}>`,
  "api_keys.login_type": api("users/token", 'ApiKey["login_type"]'),
  "workspace_builds.transition": api("builds/resource", "Transition"),
  "workspace_builds.reason": api("builds/build", "BuildReason"),
  "template_version_presets.prebuild_status": `Generated<${api("prebuilds/prebuild", "PrebuildStatus")}>`,
  "workspaces.automatic_updates": `Generated<${api("workspaces/workspace", 'Workspace["automatic_updates"]')}>`,
  "workspaces.on_deadline": `Generated<${api("workspaces/workspace", "DeadlineAction")}>`,
  "audit_log.action": api("audit/audit-log", "AuditAction"),
  "audit_log.resource_type": api("audit/audit-log", "AuditResourceType"),
  "workspace_resources.workspace_transition": api("builds/resource", "Transition"),
  "workspace_agents.lifecycle_state": `Generated<${api("agents/agent", "LifecycleState")}>`,
  "workspace_agents.display_apps": `Generated<${api("agents/agent", "DisplayApp")}[]>`,
  "workspace_agents.subsystems": `Generated<${api("agents/agent", "Subsystem")}[]>`,
  "workspace_agents.auth":
    'Generated<"token" | "aws-instance-identity" | "azure-instance-identity" | "google-instance-identity">',
  "tailnet_peers.latency": `NonNullable<${api("agents/agent", 'WorkspaceAgent["latency"]')}> | null`,
  // The columns of a view; PostgreSQL does not report that they are never null.
  ...Object.fromEntries(
    ["id", "name", "build_id", "workspace_id", "owner_id"].map((name) => [
      `live_agents.${name}`,
      "string",
    ]),
  ),
  "live_agents.auth_token_hash": "Buffer",
  "workspace_agent_logs.level": api("jobs/job", "LogLevel"),
  "workspace_agent_script_timings.stage": api("agents/agent", "ScriptStage"),
  "workspace_agent_script_timings.status": api("agents/agent", "ScriptStatus"),
  "workspace_connections.type": api("agents/connection-log-routes", "ConnectionType"),
  "workspace_app_statuses.state": api("agents/app", 'WorkspaceApp["statuses"][number]["state"]'),
  "workspace_apps.sharing_level": `Generated<${api("agents/app", "SharingLevel")}>`,
  "workspace_apps.health": `Generated<${api("agents/app", "AppHealth")}>`,
  "workspace_port_shares.share_level": `Exclude<${api("agents/app", "SharingLevel")}, "owner">`,
  "workspace_port_shares.protocol": api("workspaces/port-share-routes", "PortProtocol"),
  "workspace_states.status": api("builds/build", "BuildStatus"),
  "templates.max_port_share_level": `Generated<${api("agents/app", "SharingLevel")}>`,
  "templates.cors_behavior": `Generated<${api("templates/template", "CorsBehavior")}>`,
  "templates.autostop_days": `Generated<${api("templates/template", "Weekday")}[]>`,
  "workspace_apps.open_in": `Generated<${api("agents/app", "OpenIn")}>`,
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
