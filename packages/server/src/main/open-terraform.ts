import { TerraformDriver } from "@slipway/drivers";
import type { Clock } from "@slipway/runtime";

import type { ShellScripts } from "../features/downloads/shell-scripts.ts";
import type { Settings } from "../platform/config/settings.ts";

interface TerraformParts {
  readonly dataDir: string;
  readonly scripts: Pick<ShellScripts, "agentInit">;
  readonly clock: Clock;
}

/** The machines for which the server has agents. */
const platforms = ["linux_amd64", "linux_arm64"];

/** Opens the driver that carries out Terraform configurations. Runs nothing. */
export function openTerraform(
  { terraform, processDriver, limits }: Pick<Settings, "terraform" | "processDriver" | "limits">,
  { dataDir, scripts, clock }: TerraformParts,
): TerraformDriver {
  const { program, configFile, environment, hasOwnUsers } = terraform;
  return new TerraformDriver({
    runsDir: `${dataDir}/terraform`,
    program,
    configFile,
    environment,
    users: hasOwnUsers && process.getuid?.() === 0 ? processDriver.uids : undefined,
    agentScripts: Object.fromEntries(platforms.map((name) => [name, scripts.agentInit])),
    maxRuns: limits.maxTerraformRuns,
    limits: { maxQuietMs: limits.maxTerraformQuietMinutes * 60_000 },
    clock,
  });
}
