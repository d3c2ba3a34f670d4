import type { getDeploymentConfig, ResponseOf } from "@slipway/api";

import type { Settings } from "../../platform/config/settings.ts";

interface ConfigFacts {
  readonly version: string;
  readonly accessUrl: string;
}

/** Returns the settings that are not secret: those not named here are omitted. */
export function reportConfig(
  settings: Settings,
  { version, accessUrl }: ConfigFacts,
): ResponseOf<typeof getDeploymentConfig> {
  const { host, port } = settings.listen;
  return {
    config: {
      version,
      access_url: accessUrl,
      http_address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
      data_directory: settings.dataDir,
      database: settings.postgresUrl === undefined ? "embedded" : "external",
      log_level: settings.log.level,
      log_format: settings.log.format,
    },
    options: [],
  };
}
