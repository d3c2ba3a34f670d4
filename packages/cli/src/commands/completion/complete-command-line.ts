import { printableLine, withTimeout } from "@slipway/runtime";

import { type Candidate, complete, type Completion } from "../../command/complete.ts";
import { connect } from "../../command/connect.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { CommandTable } from "../../command/lazy-command.ts";
import type { Needs } from "../../command/needs.ts";
import type { PartialCommandLine } from "../../command/partial-command-line.ts";
import { accessPreparer } from "../../command/proxy-access.ts";
import { readSettings } from "../../config/settings.ts";
import { fetchNames } from "./server-names.ts";

/** The time limit for names, in milliseconds, for which the shell waits. */
const namesMs = 1500;

type CompletionNeeds = Pick<Needs, "terminal" | "environment" | "signal">;

/**
 * Prints completions of the last word, for the scripts of `slipway completion`. Reports no errors: they would appear in
 * the middle of the line being typed.
 */
export async function completeCommandLine(
  table: CommandTable,
  words: readonly string[],
  needs: CompletionNeeds,
): Promise<number> {
  const current = words.at(-1) ?? "";
  const { typed, completion } = await complete(table, words);
  const candidates = [
    ...completion.candidates,
    ...(await knownNames(completion, current, typed, needs)),
  ];
  const { out } = needs.terminal;
  out.line(completion.files ? "files" : "words");
  for (const { value, summary } of candidates) {
    const whole = `${completion.prefix}${value}`;
    if (whole.toLowerCase().startsWith(current.toLowerCase()))
      out.line(`${printableLine(whole)}\t${printableLine(summary)}`);
  }
  return exitCodes.ok;
}

/** Names that no shell takes for more than a word, and no command for a flag, in whatever quotes. */
const plainName = /^[\p{L}\p{M}\p{N}_][\p{L}\p{M}\p{N} _@%+=:,./-]*$/u;

/** Returns names from the server that are safe on a command line, or none if it does not answer in time. */
async function knownNames(
  { names, prefix }: Completion,
  current: string,
  typed: PartialCommandLine,
  { environment, signal }: CompletionNeeds,
): Promise<readonly Candidate[]> {
  if (names === undefined) return [];
  const flags = {
    url: typed.flags.get("url"),
    token: typed.flags.get("token"),
    configDir: typed.flags.get("configDir"),
    org: typed.flags.get("org"),
  };
  try {
    const settings = await readSettings(flags, environment);
    if (settings.url === undefined) return [];
    const header = typed.flags.get("header");
    const given = {
      header: header === undefined ? [] : [header],
      headerCommand: typed.flags.get("headerCommand"),
      clientTlsCertFile: typed.flags.get("clientTlsCertFile"),
      clientTlsKeyFile: typed.flags.get("clientTlsKeyFile"),
      clientTlsCaFile: typed.flags.get("clientTlsCaFile"),
    };
    const prepareAccess = accessPreparer(given, environment, signal);
    const client = connect({ ...settings, headers: await prepareAccess(settings.url) });
    const limited = withTimeout(signal, namesMs);
    const found = await fetchNames(names, current.slice(prefix.length), typed, {
      client,
      organization: settings.organization,
      signal: limited,
    });
    return found.filter(({ value }) => plainName.test(value));
  } catch {
    // Not logged in, no server, not allowed: there are no names then, and no place to report it.
    return [];
  }
}
