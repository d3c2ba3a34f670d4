import { type LazyCommand, lazyCommand } from "../command/lazy-command.ts";

const running = "Run a server or an agent:";
const session = "Log in:";
const templates = "Templates:";
const workspaces = "Workspaces:";
const rest = "This program:";

/** All commands, in the order in which the help lists them. */
export const commandTable: readonly LazyCommand[] = [
  lazyCommand(
    { name: "server", group: running },
    () => import("./server/command.ts"),
    () => import("./server/run.ts"),
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
    { name: "version", group: rest },
    () => import("./version/command.ts"),
    () => import("./version/run.ts"),
  ),
];
