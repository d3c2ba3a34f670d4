import { type CommandTable, type LazyCommand, lazyCommand } from "../command/lazy-command.ts";
import { commandGroups } from "./groups.ts";
import { insideCommands } from "./workspace-table.ts";

const running = "Server and agent:";
const session = "Session:";
const templates = "Templates:";
const workspaces = "Workspaces:";
const jobs = "Organization and jobs:";
const people = "Users, tokens and keys:";
const rest = "Additional commands:";

const commands: readonly LazyCommand[] = [
  lazyCommand(
    { name: "server", group: running },
    () => import("./server/command.ts"),
    () => import("./server/run.ts"),
  ),
  lazyCommand(
    { name: "server rotate-key", group: running },
    () => import("./server/rotate-key/command.ts"),
    () => import("./server/rotate-key/run.ts"),
  ),
  lazyCommand(
    { name: "server reset-password", group: running },
    () => import("./server/reset-password/command.ts"),
    () => import("./server/reset-password/run.ts"),
  ),
  lazyCommand(
    { name: "agent", group: running },
    () => import("./agent/command.ts"),
    () => import("./agent/run.ts"),
  ),
  lazyCommand(
    { name: "login", group: session },
    () => import("./login/command.ts"),
    () => import("./login/run.ts"),
  ),
  lazyCommand(
    { name: "login token", group: session },
    () => import("./login/token/command.ts"),
    () => import("./login/token/run.ts"),
  ),
  lazyCommand(
    { name: "logout", group: session },
    () => import("./logout/command.ts"),
    () => import("./logout/run.ts"),
  ),
  lazyCommand(
    { name: "whoami", group: session },
    () => import("./whoami/command.ts"),
    () => import("./whoami/run.ts"),
  ),
  lazyCommand(
    { name: "create", group: workspaces },
    () => import("./create/command.ts"),
    () => import("./create/run.ts"),
  ),
  lazyCommand(
    { name: "list", group: workspaces, aliases: ["ls"] },
    () => import("./list/command.ts"),
    () => import("./list/run.ts"),
  ),
  lazyCommand(
    { name: "show", group: workspaces },
    () => import("./show/command.ts"),
    () => import("./show/run.ts"),
  ),
  lazyCommand(
    { name: "logs", group: workspaces },
    () => import("./logs/command.ts"),
    () => import("./logs/run.ts"),
  ),
  lazyCommand(
    { name: "start", group: workspaces },
    () => import("./start/command.ts"),
    () => import("./start/run.ts"),
  ),
  lazyCommand(
    { name: "stop", group: workspaces },
    () => import("./stop/command.ts"),
    () => import("./stop/run.ts"),
  ),
  lazyCommand(
    { name: "restart", group: workspaces },
    () => import("./restart/command.ts"),
    () => import("./restart/run.ts"),
  ),
  lazyCommand(
    { name: "update", group: workspaces },
    () => import("./update/command.ts"),
    () => import("./update/run.ts"),
  ),
  lazyCommand(
    { name: "cancel", group: workspaces },
    () => import("./cancel/command.ts"),
    () => import("./cancel/run.ts"),
  ),
  lazyCommand(
    { name: "rename", group: workspaces },
    () => import("./rename/command.ts"),
    () => import("./rename/run.ts"),
  ),
  lazyCommand(
    { name: "favorite", group: workspaces, aliases: ["fav", "favourite"] },
    () => import("./favorite/command.ts"),
    () => import("./favorite/run.ts"),
  ),
  lazyCommand(
    { name: "unfavorite", group: workspaces, aliases: ["unfav", "unfavourite"] },
    () => import("./unfavorite/command.ts"),
    () => import("./unfavorite/run.ts"),
  ),
  lazyCommand(
    { name: "autoupdate", group: workspaces },
    () => import("./autoupdate/command.ts"),
    () => import("./autoupdate/run.ts"),
  ),
  lazyCommand(
    { name: "schedule show", group: workspaces },
    () => import("./schedule/show/command.ts"),
    () => import("./schedule/show/run.ts"),
  ),
  lazyCommand(
    { name: "schedule start", group: workspaces },
    () => import("./schedule/start/command.ts"),
    () => import("./schedule/start/run.ts"),
  ),
  lazyCommand(
    { name: "schedule stop", group: workspaces },
    () => import("./schedule/stop/command.ts"),
    () => import("./schedule/stop/run.ts"),
  ),
  lazyCommand(
    { name: "schedule extend", group: workspaces, aliases: ["override-stop"] },
    () => import("./schedule/extend/command.ts"),
    () => import("./schedule/extend/run.ts"),
  ),
  ...insideCommands,
  lazyCommand(
    { name: "delete", group: workspaces, aliases: ["rm"] },
    () => import("./delete/command.ts"),
    () => import("./delete/run.ts"),
  ),
  lazyCommand(
    { name: "templates init", group: templates },
    () => import("./templates/init/command.ts"),
    () => import("./templates/init/run.ts"),
  ),
  lazyCommand(
    { name: "templates push", group: templates },
    () => import("./templates/push/command.ts"),
    () => import("./templates/push/run.ts"),
  ),
  lazyCommand(
    { name: "templates list", group: templates, aliases: ["ls"] },
    () => import("./templates/list/command.ts"),
    () => import("./templates/list/run.ts"),
  ),
  lazyCommand(
    { name: "templates edit", group: templates },
    () => import("./templates/edit/command.ts"),
    () => import("./templates/edit/run.ts"),
  ),
  lazyCommand(
    { name: "templates pull", group: templates },
    () => import("./templates/pull/command.ts"),
    () => import("./templates/pull/run.ts"),
  ),
  lazyCommand(
    { name: "templates delete", group: templates, aliases: ["rm"] },
    () => import("./templates/delete/command.ts"),
    () => import("./templates/delete/run.ts"),
  ),
  lazyCommand(
    { name: "templates archive", group: templates },
    () => import("./templates/archive/command.ts"),
    () => import("./templates/archive/run.ts"),
  ),
  lazyCommand(
    { name: "templates versions list", group: templates, aliases: ["ls"] },
    () => import("./templates/versions/list/command.ts"),
    () => import("./templates/versions/list/run.ts"),
  ),
  lazyCommand(
    { name: "templates versions promote", group: templates },
    () => import("./templates/versions/promote/command.ts"),
    () => import("./templates/versions/promote/run.ts"),
  ),
  lazyCommand(
    { name: "templates versions diff", group: templates },
    () => import("./templates/versions/diff/command.ts"),
    () => import("./templates/versions/diff/run.ts"),
  ),
  lazyCommand(
    { name: "templates versions archive", group: templates },
    () => import("./templates/versions/archive/command.ts"),
    () => import("./templates/versions/archive/run.ts"),
  ),
  lazyCommand(
    { name: "templates versions unarchive", group: templates },
    () => import("./templates/versions/unarchive/command.ts"),
    () => import("./templates/versions/unarchive/run.ts"),
  ),
  lazyCommand(
    { name: "templates presets list", group: templates, aliases: ["ls"] },
    () => import("./templates/presets/list/command.ts"),
    () => import("./templates/presets/list/run.ts"),
  ),
  lazyCommand(
    { name: "prebuilds list", group: templates, aliases: ["ls"] },
    () => import("./prebuilds/list/command.ts"),
    () => import("./prebuilds/list/run.ts"),
  ),
  lazyCommand(
    { name: "prebuilds pause", group: templates },
    () => import("./prebuilds/pause/command.ts"),
    () => import("./prebuilds/pause/run.ts"),
  ),
  lazyCommand(
    { name: "prebuilds resume", group: templates },
    () => import("./prebuilds/resume/command.ts"),
    () => import("./prebuilds/resume/run.ts"),
  ),
  lazyCommand(
    { name: "users list", group: people, aliases: ["ls"] },
    () => import("./users/list/command.ts"),
    () => import("./users/list/run.ts"),
  ),
  lazyCommand(
    { name: "users show", group: people },
    () => import("./users/show/command.ts"),
    () => import("./users/show/run.ts"),
  ),
  lazyCommand(
    { name: "users create", group: people },
    () => import("./users/create/command.ts"),
    () => import("./users/create/run.ts"),
  ),
  lazyCommand(
    { name: "users suspend", group: people },
    () => import("./users/suspend/command.ts"),
    () => import("./users/suspend/run.ts"),
  ),
  lazyCommand(
    { name: "users activate", group: people, aliases: ["active"] },
    () => import("./users/activate/command.ts"),
    () => import("./users/activate/run.ts"),
  ),
  lazyCommand(
    { name: "users reset-password", group: people },
    () => import("./users/reset-password/command.ts"),
    () => import("./users/reset-password/run.ts"),
  ),
  lazyCommand(
    { name: "users delete", group: people, aliases: ["rm"] },
    () => import("./users/delete/command.ts"),
    () => import("./users/delete/run.ts"),
  ),
  lazyCommand(
    { name: "users edit-roles", group: people },
    () => import("./users/edit-roles/command.ts"),
    () => import("./users/edit-roles/run.ts"),
  ),
  lazyCommand(
    { name: "audit", group: people },
    () => import("./audit/command.ts"),
    () => import("./audit/run.ts"),
  ),
  lazyCommand(
    { name: "publickey", group: people, aliases: ["pubkey"] },
    () => import("./publickey/command.ts"),
    () => import("./publickey/run.ts"),
  ),
  lazyCommand(
    { name: "tokens create", group: people },
    () => import("./tokens/create/command.ts"),
    () => import("./tokens/create/run.ts"),
  ),
  lazyCommand(
    { name: "tokens list", group: people, aliases: ["ls"] },
    () => import("./tokens/list/command.ts"),
    () => import("./tokens/list/run.ts"),
  ),
  lazyCommand(
    { name: "tokens view", group: people },
    () => import("./tokens/view/command.ts"),
    () => import("./tokens/view/run.ts"),
  ),
  lazyCommand(
    { name: "tokens remove", group: people, aliases: ["delete", "rm"] },
    () => import("./tokens/remove/command.ts"),
    () => import("./tokens/remove/run.ts"),
  ),
  lazyCommand(
    { name: "organizations list", group: jobs, aliases: ["ls"] },
    () => import("./organizations/list/command.ts"),
    () => import("./organizations/list/run.ts"),
  ),
  lazyCommand(
    { name: "organizations show", group: jobs },
    () => import("./organizations/show/command.ts"),
    () => import("./organizations/show/run.ts"),
  ),
  lazyCommand(
    { name: "organizations members list", group: jobs, aliases: ["ls"] },
    () => import("./organizations/members/list/command.ts"),
    () => import("./organizations/members/list/run.ts"),
  ),
  lazyCommand(
    { name: "provisioner jobs list", group: jobs, aliases: ["ls"] },
    () => import("./provisioner/jobs/list/command.ts"),
    () => import("./provisioner/jobs/list/run.ts"),
  ),
  lazyCommand(
    { name: "provisioner jobs cancel", group: jobs },
    () => import("./provisioner/jobs/cancel/command.ts"),
    () => import("./provisioner/jobs/cancel/run.ts"),
  ),
  lazyCommand(
    { name: "completion", group: rest },
    () => import("./completion/command.ts"),
    () => import("./completion/run.ts"),
  ),
  lazyCommand(
    { name: "version", group: rest },
    () => import("./version/command.ts"),
    () => import("./version/run.ts"),
  ),
];

/** All commands, in the order in which the help lists them. */
export const commandTable: CommandTable = { commands, groups: commandGroups };
