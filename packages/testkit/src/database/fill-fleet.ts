import { createHash } from "node:crypto";

/** The tables whose size grows with the fleet. */
export const fleetTables = [
  "workspaces",
  "workspace_states",
  "workspace_builds",
  "jobs",
  "workspace_agents",
  "workspace_agent_stats",
  "workspace_agent_metadata",
  "workspace_connections",
  "audit_log",
  "job_logs",
] as const;

/** The rows that a fleet refers to: a workspace whose template, organization and owner it shares. */
export interface FleetPlace {
  readonly organizationId: string;
  readonly userId: string;
  readonly fileId: string;
  readonly versionId: string;
  readonly workspaceId: string;
}

/** The number of workspaces per user of a fleet. */
export const workspacesPerUser = 40;

/** Returns the id of the fleet's `number`th thing of a kind, counted from 1. */
export function fleetId(kind: "agent-2-" | "user" | "workspace", number: number): string {
  return uuidOf(`${kind}${number}`);
}

/** Returns the token of the running agent of the fleet's `number`th workspace. */
export function fleetAgentToken(number: number): string {
  return uuidOf(`token-2-${number}`);
}

/** The secret of all sessions. */
const sessionSecret = "fleetfleetfleetfleetfl";

/** Returns the session token of the fleet's `number`th user, who owns each workspace whose number follows by a multiple of the users. */
export function fleetSessionToken(number: number): string {
  return `${String(number).padStart(10, "0")}-${sessionSecret}`;
}

/** Returns the UUID that `md5(…)::uuid` gives in SQL. */
function uuidOf(text: string): string {
  const digest = createHash("md5").update(text).digest("hex");
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * Fills a database with `count` workspaces of users with 40 each and a session: of each two builds of yesterday, the
 * second of which runs, with an agent each, a line of a log, a report and a connection, and an audit entry. `run` runs
 * one statement.
 */
export async function fillFleet(
  run: (statement: string) => Promise<unknown>,
  { organizationId, userId, fileId, versionId, workspaceId }: FleetPlace,
  count: number,
): Promise<void> {
  const users = Math.ceil(count / workspacesPerUser);
  const id = (kind: string, n = "n"): string => `md5('${kind}' || ${n})::uuid`;
  const each = `generate_series(1, ${count}) n`;
  const eachUser = `generate_series(1, ${users}) n`;
  const owner = id("user", `(n % ${users} + 1)`);
  // Any text that the server's key opens: it reads one at its start.
  const sealed = `coalesce((select a.auth_token_encrypted from workspace_builds b
    join workspace_agents a on a.workspace_build_id = b.id where b.workspace_id = '${workspaceId}' limit 1), '')`;
  // Rows of a fleet are filled by themselves: its triggers would derive each from all others.
  const setTriggers = async (state: "disable" | "enable"): Promise<void> => {
    for (const table of ["users", "workspaces", "workspace_builds", "jobs"])
      await run(`alter table ${table} ${state} trigger user`);
  };
  await setTriggers("disable");
  await run(`insert into users (id, username, email, roles)
    select ${id("user")}, 'user-' || n, 'user-' || n || '@example.com', '{}' from ${eachUser}`);
  await run(`insert into organization_members (organization_id, user_id)
    select '${organizationId}', ${id("user")} from ${eachUser}`);
  await run(`insert into api_keys (id, user_id, hashed_secret, login_type, lifetime_seconds, expires_at)
    select lpad(n::text, 10, '0'), ${id("user")}, sha256('${sessionSecret}'), 'password', 86400, now() + interval '1 day'
      from ${eachUser}`);
  await run(`insert into workspaces (id, owner_id, organization_id, template_id, name, last_used_at)
    select ${id("workspace")}, ${owner}, w.organization_id, w.template_id, 'workspace-' || n, now()
      from workspaces w, ${each} where w.id = '${workspaceId}'`);
  for (const number of [1, 2]) {
    const job = id(`job-${number}-`);
    const build = id(`build-${number}-`);
    const resource = id(`resource-${number}-`);
    const agent = id(`agent-${number}-`);
    const token = `${id(`token-${number}-`)}::text`;
    await run(`insert into jobs (id, type, organization_id, initiator_id, file_id, workspace_id, created_at, started_at,
        completed_at)
      select ${job}, 'workspace_build', '${organizationId}', '${userId}', '${fileId}', ${id("workspace")},
          now() - interval '1 day', now() - interval '1 day', now() - interval '1 day'
        from ${each}`);
    await run(`insert into workspace_builds (id, workspace_id, owner_id, build_number, transition, template_version_id,
        initiator_id, job_id, reason, deadline, created_at)
      select ${build}, ${id("workspace")}, ${owner}, ${number}, '${number === 1 ? "stop" : "start"}', '${versionId}',
          '${userId}', ${job}, 'initiator', now() + interval '8 hours', now() - interval '1 day'
        from ${each}`);
    await run(`insert into workspace_resources (id, job_id, workspace_transition, type, name)
      select ${resource}, ${job}, 'start', 'process', 'dev' from ${each}`);
    await run(`insert into workspace_agents (id, resource_id, workspace_build_id, name, auth_token_hash,
        auth_token_encrypted, architecture, operating_system)
      select ${agent}, ${resource}, ${build}, 'main', sha256(convert_to(${token}, 'utf8')), ${sealed}, 'amd64', 'linux'
        from ${each}`);
    await run(
      `insert into workspace_agent_log_positions (workspace_agent_id) select ${agent} from ${each}`,
    );
  }
  await run(`insert into job_logs (job_id, log_level, log_source, stage, output)
    select ${id("job-2-")}, 'info', 'provisioner', 'Starting', 'started' from ${each}`);
  await run(`insert into workspace_agent_stats (workspace_agent_id, stats, created_at)
    select ${id("agent-2-")}, '{}', now() - interval '1 day' from ${each}`);
  await run(`insert into workspace_connections (id, workspace_agent_id, type, connected_at)
    select ${id("connection")}, ${id("agent-2-")}, 'ssh', now() - n * interval '1 second' from ${each}`);
  await run(`insert into audit_log (user_id, organization_id, action, resource_type, resource_id, resource_target)
    select ${owner}, '${organizationId}', 'create', 'workspace', ${id("workspace")}, 'workspace-' || n from ${each}`);
  await run(`insert into workspace_states (workspace_id, owner_id, owner_name, name, deleted, build_id, template_version_id,
      status, due_at)
    select ${id("workspace")}, ${owner}, 'user-' || (n % ${users} + 1), 'workspace-' || n, false, ${id("build-2-")},
        '${versionId}', 'running', now() + interval '1 hour'
      from ${each}`);
  await setTriggers("enable");
  await run("analyze");
}
