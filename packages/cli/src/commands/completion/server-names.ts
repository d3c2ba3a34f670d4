import {
  listTemplateVersionPresets,
  listTemplateVersions,
  listTokens,
  listUsers,
  listWorkspaces,
  type Template,
} from "@slipway/api";

import type { ClientNeeds } from "../../command/client-needs.ts";
import type { Candidate } from "../../command/complete.ts";
import type { NameKind } from "../../command/completion-source.ts";
import type { PartialCommandLine } from "../../command/partial-command-line.ts";
import { listTemplates } from "../../resources/templates/list-templates.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";

interface RequestNeeds extends Pick<ClientNeeds, "client" | "signal"> {
  /** The organization of templates. */
  readonly organization: string;
}

/** The maximum number of names to request. */
const limit = "100";

/** Fetches names from the server; those of versions and presets are of the template typed before. */
export async function fetchNames(
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
