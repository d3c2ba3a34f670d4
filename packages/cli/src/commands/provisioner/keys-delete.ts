import { deleteProvisionerKey } from "@slipway/api/organizations/provisioner-routes";
import { ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { notFoundError } from "../../command/not-found.ts";

export const command = defineCommand({
  summary: "delete a key, and disconnect its provisioners",
  aliases: ["rm"],
  arguments: { name: { summary: "name of the key", required: true } },
  flags: {},
  examples: [{ line: "slipway provisioner keys delete europe", summary: "its provisioners end" }],
});

export async function run(
  { name }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const params = { organization: settings.organization, key: name };
  try {
    await connect(settings).call(deleteProvisionerKey, { params, signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw notFoundError(`provisioner key ${name}`, "list keys with: slipway provisioner keys list");
  }
  const { err } = terminal;
  err.line(err.colors.green(`provisioner key ${name} is deleted`));
  return exitCodes.ok;
}
