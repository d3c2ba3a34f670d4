import type { getDeploymentConfig, ResponseOf } from "@slipway/api";

import type { Settings } from "../../platform/config/settings.ts";

interface ConfigFacts {
  readonly version: string;
  readonly accessUrl: string;
}

/** The settings that are no secret: what is not named here is not told. */
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
