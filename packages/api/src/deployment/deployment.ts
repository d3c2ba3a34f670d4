import { Type } from "typebox";

import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

/** The settings that clients write into their SSH configuration (docs/protocol/clients.md §0.6). */
export const SshConfig = Type.Object({
  hostname_prefix: Type.String(),
  hostname_suffix: Type.String(),
  ssh_config_options: Type.Record(Type.String(), Type.String()),
});

const Banner = Type.Object({
  enabled: Type.Boolean(),
  message: Type.Optional(Type.String()),
  background_color: Type.Optional(Type.String()),
});

/** The maximum number of banners, and the maximum length of one, in characters. */
const maxBanners = 8;
const maxBannerLength = 1_000;

/** The banners shown at the beginning of sessions in workspaces. */
export const AppearanceUpdate = Type.Object({
  announcement_banners: Type.Array(
    Type.Object({
      enabled: Type.Boolean(),
      message: Type.Optional(Type.String({ maxLength: maxBannerLength })),
      background_color: Type.Optional(Type.String({ pattern: "^(#[0-9a-fA-F]{6})?$" })),
    }),
    { maxItems: maxBanners },
  ),
});
export type AppearanceUpdate = Infer<typeof AppearanceUpdate>;

export const Appearance = Type.Object({
  application_name: Type.String(),
  logo_url: Type.String(),
  docs_url: Type.String(),
  service_banner: Banner,
  announcement_banners: Type.Array(Banner),
});

export const RegionsResponse = Type.Object({
  regions: Type.Array(
    Type.Object({
      id: Uuid,
      name: Type.String(),
      display_name: Type.String(),
      icon_url: Type.String(),
      healthy: Type.Boolean(),
      path_app_url: Type.String(),
      wildcard_hostname: Type.String(),
    }),
  ),
});

/** The result of the check for a newer release. */
export const UpdateCheck = Type.Object({
  current: Type.Boolean(),
  version: Type.String(),
  url: Type.String(),
});

/** A setting of the configuration by its variable. */
export const DeploymentOption = Type.Object({
  env: Type.String(),
  /** One phrase about a limit; empty for other settings, which the guide describes. */
  description: Type.String(),
  /** The value that was given; empty for a secret, and if there is none. */
  value: Type.String(),
  /** The value that applies if none is given; empty if it depends on other settings. */
  default: Type.String(),
  value_source: oneOf("given", "default"),
  secret: Type.Boolean(),
});
export type DeploymentOption = Infer<typeof DeploymentOption>;

/** The settings of the replica that answers; secrets are left out. */
export const DeploymentConfig = Type.Object({
  config: Type.Object({
    version: Type.String(),
    access_url: Type.String(),
    http_address: Type.String(),
    data_directory: Type.String(),
    database: oneOf("embedded", "external"),
    log_level: Type.String(),
    log_format: Type.String(),
  }),
  options: Type.Array(DeploymentOption),
});

const healthSeverities = ["ok", "warning", "error"] as const;

const section = {
  healthy: Type.Boolean(),
  severity: oneOf(...healthSeverities),
  warnings: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  dismissed: Type.Boolean(),
  error: Type.Optional(Type.String()),
};

/** The health of the deployment, seen from the replica that answers. */
export const HealthReport = Type.Object({
  time: Timestamp,
  healthy: Type.Boolean(),
  severity: oneOf(...healthSeverities),
  /** The workers with keys; those of servers are listed with them, and are not counted here. */
  provisioner_daemons: Type.Object({ ...section, online: Type.Integer() }),
  access_url: Type.Object({
    ...section,
    access_url: Type.String(),
    reachable: Type.Boolean(),
    status_code: Type.Integer(),
    healthz_response: Type.String(),
  }),
  database: Type.Object({
    ...section,
    reachable: Type.Boolean(),
    latency: Type.String(),
    latency_ms: Type.Integer(),
    threshold_ms: Type.Integer(),
  }),
  coder_version: Type.String(),
});

/** The usage of the deployment: its current workspaces, and traffic and sessions since `aggregated_from`. */
export const DeploymentStats = Type.Object({
  aggregated_from: Timestamp,
  collected_at: Timestamp,
  /** The earliest time at which new values can be expected. */
  next_update_at: Timestamp,
  workspaces: Type.Object({
    pending: Type.Integer(),
    building: Type.Integer(),
    running: Type.Integer(),
    failed: Type.Integer(),
    stopped: Type.Integer(),
    /** In milliseconds; -1 if no one was connected. */
    connection_latency_ms: Type.Object({ P50: Type.Number(), P95: Type.Number() }),
    rx_bytes: Type.Integer(),
    tx_bytes: Type.Integer(),
  }),
  session_count: Type.Object({
    vscode: Type.Integer(),
    ssh: Type.Integer(),
    jetbrains: Type.Integer(),
    reconnecting_pty: Type.Integer(),
  }),
});
export type DeploymentStats = Infer<typeof DeploymentStats>;
