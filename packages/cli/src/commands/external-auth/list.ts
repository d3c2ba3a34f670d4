import type {
  ExternalAuthLink,
  ExternalAuthProvider,
} from "@slipway/api/external-auth/external-auth";
import { listExternalAuth } from "@slipway/api/external-auth/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

const columnNames = ["id", "name", "type", "login", "expires at"] as const;
const flag = columnFlag(columnNames, columnNames);

export const command = defineCommand({
  summary: "list the external auth providers and your logins to them",
  description:
    "List the server's external auth providers, such as GitHub, and whether you are logged in to each. Workspaces use " +
    "the tokens for Git and other programs.",
  aliases: ["ls"],
  arguments: {},
  flags: { column: flag, output: outputFlag },
  examples: [
    { line: "slipway external-auth list", summary: "providers and logins" },
    { line: "slipway external-auth list -o json", summary: "the same as JSON" },
  ],
});

interface ListedProvider {
  readonly provider: ExternalAuthProvider;
  readonly link: ExternalAuthLink | null;
}

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const { providers, links } = await client.call(listExternalAuth, { signal });
  const listed = providers.map((provider) => {
    // Other servers send null for none.
    const link = (links ?? []).find(({ provider_id: id }) => id === provider.id);
    return { provider, link: link ?? null };
  });
  return printList(terminal, listed, options, {
    columns: columnsOf(clock.now()),
    none: "the server has no external auth providers",
  });
}

function columnsOf(now: number): Columns<ListedProvider, (typeof columnNames)[number]> {
  return {
    id: ({ provider }) => provider.id,
    name: ({ provider }) => provider.display_name,
    type: ({ provider }) => provider.type,
    login: ({ link }) => loginText(link),
    "expires at": ({ link }) => {
      const expiresMs = Date.parse(link?.expires ?? "");
      return expiresMs > 0 ? relativeTime(expiresMs, now) : "";
    },
  };
}

function loginText(link: ExternalAuthLink | null): string {
  if (link === null) return "not logged in";
  if (link.authenticated) return "logged in";
  return link.validate_error === "" ? "log in again" : `log in again: ${link.validate_error}`;
}
