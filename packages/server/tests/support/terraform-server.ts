import { buildTerraform } from "@slipway/testkit/terraform";
import { inject } from "vitest";

import { openServer, type OpenServer } from "./open-server.ts";

/** Opens a server with the driver `terraform`; the first call on a machine builds OpenTofu. */
export async function openTerraformServer(
  environment: Readonly<Record<string, string>> = {},
): Promise<OpenServer> {
  const { program, configFile } = await buildTerraform();
  return openServer(inject("postgresUrl"), {
    SLIPWAY_TERRAFORM: program,
    SLIPWAY_TERRAFORM_CONFIG: configFile,
    SLIPWAY_TERRAFORM_USERS: "server",
    ...environment,
  });
}
