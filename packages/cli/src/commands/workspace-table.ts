import { type CommandTable, type LazyCommand, lazyCommand } from "../command/lazy-command.ts";
import { commandGroups } from "./groups.ts";

const inside = "Inside a workspace:";

/** Commands for use inside a workspace. */
export const insideCommands: readonly LazyCommand[] = [
  lazyCommand(
    { name: "external-auth access-token", group: inside },
    () => import("./external-auth/access-token/command.ts"),
    () => import("./external-auth/access-token/run.ts"),
  ),
  lazyCommand(
    { name: "stat", group: inside },
    () => import("./stat/command.ts"),
    () => import("./stat/run.ts"),
  ),
  lazyCommand(
    { name: "stat cpu", group: inside },
    () => import("./stat/cpu/command.ts"),
    () => import("./stat/cpu/run.ts"),
  ),
  lazyCommand(
    { name: "stat mem", group: inside },
    () => import("./stat/mem/command.ts"),
    () => import("./stat/mem/run.ts"),
  ),
  lazyCommand(
    { name: "stat disk", group: inside },
    () => import("./stat/disk/command.ts"),
    () => import("./stat/disk/run.ts"),
  ),
];

/** The commands of the `slipway` in a workspace. */
export const workspaceTable: CommandTable = {
  commands: insideCommands,
  groups: commandGroups.filter(({ name }) =>
    insideCommands.some((command) => command.name.startsWith(`${name} `)),
  ),
};
