import { type LazyCommand, lazyCommand } from "../command/lazy-command.ts";

const running = "Run a server or an agent:";
const session = "Log in:";
const templates = "Templates:";
const workspaces = "Workspaces:";
const people = "People and tokens:";
const rest = "This program:";

/** All commands, in the order in which the help lists them. */
export const commandTable: readonly LazyCommand[] = [
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
    { name: "list", group: workspaces },
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
    { name: "favorite", group: workspaces },
    () => import("./favorite/command.ts"),
    () => import("./favorite/run.ts"),
  ),
  lazyCommand(
    { name: "unfavorite", group: workspaces },
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
    { name: "schedule extend", group: workspaces },
    () => import("./schedule/extend/command.ts"),
    () => import("./schedule/extend/run.ts"),
  ),
  lazyCommand(
    { name: "delete", group: workspaces },
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
    { name: "templates list", group: templates },
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
    { name: "templates delete", group: templates },
    () => import("./templates/delete/command.ts"),
    () => import("./templates/delete/run.ts"),
  ),
  lazyCommand(
    { name: "templates archive", group: templates },
    () => import("./templates/archive/command.ts"),
    () => import("./templates/archive/run.ts"),
  ),
  lazyCommand(
    { name: "templates versions list", group: templates },
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
    { name: "templates presets list", group: templates },
    () => import("./templates/presets/list/command.ts"),
    () => import("./templates/presets/list/run.ts"),
  ),
  lazyCommand(
    { name: "users list", group: people },
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
    { name: "users activate", group: people },
    () => import("./users/activate/command.ts"),
    () => import("./users/activate/run.ts"),
  ),
  lazyCommand(
    { name: "users delete", group: people },
    () => import("./users/delete/command.ts"),
    () => import("./users/delete/run.ts"),
  ),
  lazyCommand(
    { name: "users edit-roles", group: people },
    () => import("./users/edit-roles/command.ts"),
    () => import("./users/edit-roles/run.ts"),
  ),
  lazyCommand(
    { name: "tokens create", group: people },
    () => import("./tokens/create/command.ts"),
    () => import("./tokens/create/run.ts"),
  ),
  lazyCommand(
    { name: "tokens list", group: people },
    () => import("./tokens/list/command.ts"),
    () => import("./tokens/list/run.ts"),
  ),
  lazyCommand(
    { name: "tokens remove", group: people },
    () => import("./tokens/remove/command.ts"),
    () => import("./tokens/remove/run.ts"),
  ),
  lazyCommand(
    { name: "version", group: rest },
    () => import("./version/command.ts"),
    () => import("./version/run.ts"),
  ),
];
