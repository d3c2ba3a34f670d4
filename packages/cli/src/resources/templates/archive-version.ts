import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import {
  findTemplate,
  findVersion,
  templateArgument,
  versionArgument,
} from "./template-reference.ts";

/** The arguments and flags of the commands that archive a version and undo that. */
export const archiveWords = {
  arguments: { template: templateArgument, version: versionArgument },
  flags: { yes: ignoredYesFlag },
} as const;

interface VersionWords {
  readonly template: string;
  readonly version: string;
}

/** Changes the version that the words name, and prints its new state. */
export async function changeVersion(
  words: VersionWords,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
  state: string,
  change: (client: ApiClient, version: string) => Promise<unknown>,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, words.template, { settings, signal });
  const version = await findVersion(client, template, words.version, signal);
  await change(client, version.id);
  terminal.err.line(`version ${version.name} of ${template.name} ${state}`);
  return exitCodes.ok;
}
