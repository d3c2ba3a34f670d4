import {
  getBuildInfo,
  getDeploymentConfig,
  getDeploymentStats,
  getHealthReport,
  getSshConfig,
  listRegions,
} from "@slipway/api/deployment/routes";
import { getUser } from "@slipway/api/users/routes";

import type { ClientNeeds } from "../../../command/needs.ts";
import { packageVersion } from "../../../config/own-package.ts";
import { reportJson, reportOf } from "../../../resources/network/network-report.ts";
import {
  buildInfoFields,
  healthFields,
  machineFields,
  networkFields,
  regionsFields,
  settingsFields,
  sshSettingsFields,
  statsFields,
  userFields,
} from "./bundle-fields.ts";
import type { Bundle } from "./bundle.ts";

/** Collects facts about this machine, the server and its user. */
export async function collectServer(
  bundle: Bundle,
  serverUrl: string,
  { client, clock }: Pick<ClientNeeds, "client" | "clock">,
): Promise<void> {
  await Promise.all([
    bundle.addJson("machine.json", machineFields, async () => ({
      slipway: packageVersion,
      node: process.version,
      platform: process.platform,
      architecture: process.arch,
      server_url: serverUrl,
      time: new Date(clock.now()).toISOString(),
    })),
    bundle.addJson("server/version.json", buildInfoFields, (signal) =>
      client.call(getBuildInfo, { signal }),
    ),
    bundle.addJson("server/settings.json", settingsFields, (signal) =>
      client.call(getDeploymentConfig, { signal }),
    ),
    bundle.addJson("server/ssh-settings.json", sshSettingsFields, (signal) =>
      client.call(getSshConfig, { signal }),
    ),
    bundle.addJson("server/health.json", healthFields, (signal) =>
      client.call(getHealthReport, { signal }),
    ),
    bundle.addJson("server/stats.json", statsFields, (signal) =>
      client.call(getDeploymentStats, { signal }),
    ),
    bundle.addJson("server/regions.json", regionsFields, (signal) =>
      client.call(listRegions, { signal }),
    ),
    bundle.addJson("user.json", userFields, (signal) =>
      client.call(getUser, { params: { user: "me" }, signal }),
    ),
    bundle.addJson("network.json", networkFields, async (signal) => {
      const { checkNetwork } = await import("@slipway/sdk/workspace");
      return reportJson(
        reportOf(
          await checkNetwork({ client, caller: "user", disableDirect: false, clock, signal }),
        ),
      );
    }),
  ]);
}
