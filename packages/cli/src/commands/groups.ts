import type { CommandGroup } from "../command/lazy-command.ts";

/** The words that commands stand below. Other words for them are those that `coder` knows. */
export const commandGroups: readonly CommandGroup[] = [
  { name: "schedule", summary: "when a workspace starts and stops by itself" },
  { name: "templates", summary: "what workspaces are made from", aliases: ["template"] },
  { name: "templates versions", summary: "versions of a template", aliases: ["version"] },
  { name: "templates presets", summary: "named sets of parameters", aliases: ["preset"] },
  {
    name: "prebuilds",
    summary: "pools of workspaces that wait for an owner",
    aliases: ["prebuild"],
  },
  { name: "users", summary: "who may log in, and with which rights", aliases: ["user"] },
  { name: "tokens", summary: "what programs log in with", aliases: ["token"] },
  {
    name: "organizations",
    summary: "what templates and people belong to",
    aliases: ["organization", "org", "orgs"],
  },
  { name: "organizations members", summary: "who belongs to it", aliases: ["member"] },
  {
    name: "provisioner",
    summary: "what the server has to build",
    aliases: ["provisioners"],
  },
  { name: "provisioner jobs", summary: "imports, builds and dry runs", aliases: ["job"] },
  { name: "external-auth", summary: "log-ins of the workspace's owner elsewhere" },
];
