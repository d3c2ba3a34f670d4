import type { CommandGroup } from "../command/lazy-command.ts";

/** Groups of commands. Their aliases are those that `coder` has. */
export const commandGroups: readonly CommandGroup[] = [
  { name: "schedule", summary: "manage automatic starts and stops of workspaces" },
  { name: "templates", summary: "manage templates", aliases: ["template"] },
  { name: "templates versions", summary: "manage versions of a template", aliases: ["version"] },
  { name: "templates presets", summary: "show presets of a template", aliases: ["preset"] },
  {
    name: "prebuilds",
    summary: "manage pools of prebuilt workspaces",
    aliases: ["prebuild"],
  },
  { name: "users", summary: "manage users and their roles", aliases: ["user"] },
  { name: "tokens", summary: "manage API tokens", aliases: ["token"] },
  {
    name: "organizations",
    summary: "show organizations and their members",
    aliases: ["organization", "org", "orgs"],
  },
  {
    name: "organizations members",
    summary: "show members of an organization",
    aliases: ["member"],
  },
  {
    name: "provisioner",
    summary: "manage the server's jobs",
    aliases: ["provisioners"],
  },
  { name: "provisioner jobs", summary: "manage imports, builds and dry runs", aliases: ["job"] },
  { name: "external-auth", summary: "use the workspace owner's external logins" },
];
