import type { Template } from "@slipway/api/templates/template";
import {
  listTemplateVersionPresets,
  listTemplateVersions,
} from "@slipway/api/templates/version-routes";
import { listTokens } from "@slipway/api/users/key-routes";
import { listUsers } from "@slipway/api/users/routes";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { printableLine, withTimeout } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import type { CommandTable } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { NameKind } from "../../command/flags.ts";
import type { ClientNeeds, Needs } from "../../command/needs.ts";
import { accessPreparer } from "../../command/proxy-access.ts";
import { readSettings } from "../../config/settings.ts";
import { listTemplates } from "../../resources/templates/template-reference.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";
import { type Candidate, complete, type Completion, type PartialCommandLine } from "./complete.ts";

/** The timeout for names, in milliseconds, for which the shell waits. */
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

/** Names that shells treat as a single word and commands never as a flag, in any quotes. */
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
    // Not logged in, no server, not allowed: there are no names then, and nowhere to report it.
    return [];
  }
}

interface RequestNeeds extends Pick<ClientNeeds, "client" | "signal"> {
  /** The organization of templates. */
  readonly organization: string;
}

/** The maximum number of names to request. */
const limit = "100";

/** Fetches names from the server; those of versions and presets belong to the template typed before. */
async function fetchNames(
  kind: NameKind,
  current: string,
  typed: PartialCommandLine,
  needs: RequestNeeds,
): Promise<Candidate[]> {
  const { client, signal } = needs;
  switch (kind) {
    case "workspace":
      return workspaceNames(current, needs);
    case "template":
      return (await listTemplates(client, needs.organization, signal)).map(templateCandidate);
    case "version": {
      const template = await typedTemplate(typed, needs);
      if (template === undefined) return [];
      const params = { template: template.id };
      const versions = await client.call(listTemplateVersions, { params, signal });
      return versions.map(({ name, message }) => ({ value: name, summary: message })).toReversed();
    }
    case "preset": {
      const template = await typedTemplate(typed, needs);
      if (template === undefined) return [];
      const params = { version: template.active_version_id };
      const presets = await client.call(listTemplateVersionPresets, { params, signal });
      return presets.map(({ Name, Description }) => ({ value: Name, summary: Description }));
    }
    case "user": {
      const { users } = await client.call(listUsers, { query: { limit }, signal });
      return users.map(({ username, email }) => ({ value: username, summary: email }));
    }
    case "token": {
      const tokens = await client.call(listTokens, { params: { user: "me" }, signal });
      return tokens.map(({ id, token_name }) => ({ value: token_name || id, summary: "" }));
    }
  }
}

/** Returns the user's own workspaces, or all users' once an owner is typed. */
async function workspaceNames(
  current: string,
  { client, signal }: RequestNeeds,
): Promise<Candidate[]> {
  const isOthers = current.includes("/");
  const query = { q: isOthers ? "" : "owner:me", limit };
  const { workspaces } = await client.call(listWorkspaces, { query, signal });
  return workspaces.map((workspace) => ({
    value: isOthers ? fullName(workspace) : workspace.name,
    summary: `${workspace.template_name}, ${workspace.latest_build.status}`,
  }));
}

/** Returns the template of `--template` or of the first word; otherwise the only one, if there is only one. */
async function typedTemplate(
  { flags, words }: PartialCommandLine,
  { client, organization, signal }: RequestNeeds,
): Promise<Template | undefined> {
  const templates = await listTemplates(client, organization, signal);
  const wanted = flags.get("template") ?? words[0];
  return (
    templates.find(({ name }) => name === wanted) ??
    (templates.length === 1 ? templates[0] : undefined)
  );
}

function templateCandidate({ name, display_name }: Template): Candidate {
  return { value: name, summary: display_name };
}
