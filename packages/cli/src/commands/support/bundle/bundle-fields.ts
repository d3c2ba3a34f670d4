import { fields, list, map, names, value, words } from "./allowed-fields.ts";

/*
 * The fields of a bundle. Left out on purpose: tokens, values of variables, parameters and metadata, scripts,
 * commands and URLs of apps, messages of apps, values of labels, icons, email addresses, files of templates, users and addresses of
 * connections.
 */

const section = {
  healthy: value,
  severity: value,
  warnings: list(fields({ code: value, message: words })),
  dismissed: value,
  error: words,
};

export const machineFields = fields({
  slipway: value,
  node: value,
  platform: value,
  architecture: value,
  server_url: value,
  time: value,
});

export const buildInfoFields = fields({
  external_url: value,
  version: value,
  agent_api_version: value,
  provisioner_api_version: value,
  deployment_id: value,
});

export const settingsFields = fields({
  config: fields({
    version: value,
    access_url: value,
    http_address: value,
    data_directory: value,
    database: value,
    log_level: value,
    log_format: value,
  }),
});

export const sshSettingsFields = fields({
  hostname_prefix: value,
  hostname_suffix: value,
  ssh_config_options: names,
});

export const healthFields = fields({
  time: value,
  healthy: value,
  severity: value,
  access_url: fields({ ...section, access_url: value, reachable: value, status_code: value }),
  database: fields({ ...section, reachable: value, latency_ms: value, threshold_ms: value }),
  provisioner_daemons: fields({ ...section, online: value }),
  coder_version: value,
});

export const statsFields = fields({
  aggregated_from: value,
  collected_at: value,
  workspaces: fields({
    pending: value,
    building: value,
    running: value,
    failed: value,
    stopped: value,
    connection_latency_ms: map(value),
    rx_bytes: value,
    tx_bytes: value,
  }),
  session_count: map(value),
});

export const regionsFields = fields({
  regions: list(
    fields({
      id: value,
      name: value,
      healthy: value,
      path_app_url: value,
      wildcard_hostname: value,
    }),
  ),
});

export const userFields = fields({
  id: value,
  username: value,
  created_at: value,
  last_seen_at: value,
  status: value,
  login_type: value,
  roles: list(fields({ name: value })),
});

const agentFields = fields({
  id: value,
  parent_id: value,
  name: value,
  created_at: value,
  first_connected_at: value,
  last_connected_at: value,
  disconnected_at: value,
  started_at: value,
  ready_at: value,
  status: value,
  lifecycle_state: value,
  architecture: value,
  operating_system: value,
  environment_variables: names,
  logs_length: value,
  logs_overflowed: value,
  latency: map(fields({ latency_ms: value, preferred: value })),
  directory: value,
  version: value,
  api_version: value,
  apps: list(
    fields({ slug: value, external: value, subdomain: value, sharing_level: value, health: value }),
  ),
  connection_timeout_seconds: value,
  subsystems: list(value),
  health: fields({ healthy: value, reason: words }),
  display_apps: list(value),
  log_sources: list(fields({ id: value, display_name: value })),
  scripts: list(
    fields({
      id: value,
      display_name: value,
      log_path: value,
      cron: value,
      run_on_start: value,
      run_on_stop: value,
      start_blocks_login: value,
      timeout: value,
      exit_code: value,
      status: value,
    }),
  ),
  startup_script_behavior: value,
});

const jobFields = fields({
  id: value,
  created_at: value,
  started_at: value,
  completed_at: value,
  canceled_at: value,
  error: words,
  error_code: value,
  status: value,
  worker_name: value,
  queue_position: value,
  queue_size: value,
  logs_overflowed: value,
});

export const buildFields = fields({
  id: value,
  created_at: value,
  template_version_id: value,
  template_version_name: value,
  build_number: value,
  transition: value,
  initiator_name: value,
  reason: value,
  status: value,
  deadline: value,
  job: jobFields,
  resources: list(
    fields({
      id: value,
      type: value,
      name: value,
      agents: list(agentFields),
      metadata: list(fields({ key: value })),
    }),
  ),
});

const container = fields({
  id: value,
  name: value,
  image: value,
  created_at: value,
  running: value,
  status: value,
  labels: names,
  ports: list(fields({ port: value, network: value, host_ip: value, host_port: value })),
  volumes: map(value),
});

export const containersFields = fields({
  containers: list(container),
  devcontainers: list(
    fields({
      id: value,
      name: value,
      workspace_folder: value,
      config_path: value,
      subagent_id: value,
      status: value,
      dirty: value,
      container: fields({ id: value }),
      agent: fields({ id: value, name: value, directory: value }),
      error: words,
    }),
  ),
  warnings: list(words),
});

export const workspaceFields = fields({
  id: value,
  name: value,
  owner_name: value,
  created_at: value,
  updated_at: value,
  last_used_at: value,
  template_id: value,
  template_name: value,
  template_active_version_id: value,
  latest_build: buildFields,
  outdated: value,
  autostart_schedule: value,
  ttl_ms: value,
  dormant_at: value,
  deleting_at: value,
  health: fields({ healthy: value, failing_agents: list(value) }),
  automatic_updates: value,
  is_prebuild: value,
});

export const templateVersionFields = fields({
  id: value,
  template_id: value,
  name: value,
  created_at: value,
  job: jobFields,
  warnings: list(value),
});

export const parameterFields = list(fields({ name: value }));

export const connectionsFields = list(
  fields({
    id: value,
    connect_time: value,
    workspace_owner_username: value,
    workspace_name: value,
    agent_name: value,
    type: value,
    ssh_info: fields({ disconnect_time: value, disconnect_reason: words, exit_code: value }),
  }),
);

export const networkFields = fields({
  regions: list(
    fields({
      region_id: value,
      region_code: value,
      region_name: value,
      home: value,
      latency_ms: value,
    }),
  ),
  transport: value,
  websocket_reason: words,
  udp: value,
  ipv6: value,
  faults: list(fields({ problem: words, advice: words })),
});

/** Facts about the path to an agent. */
export const agentPathFields = fields({
  latency_ms: value,
  path: fields({ kind: value, address: value, region_id: value, region_name: value }),
});

/** The agent's network check (docs/protocol/agent.md §8.9). */
export const agentNetworkFields = fields({
  severity: value,
  net_info: fields({
    MappingVariesByDestIP: value,
    WorkingIPv6: value,
    OSHasIPv6: value,
    WorkingUDP: value,
    PreferredDERP: value,
    DERPLatency: map(value),
  }),
  interfaces: fields({
    severity: value,
    interfaces: list(fields({ name: value, mtu: value })),
  }),
});

export const agentPortsFields = fields({
  ports: list(fields({ process_name: value, network: value, port: value })),
});
