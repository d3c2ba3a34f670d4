import type { PreparedCommand } from "../process/spawn-group.ts";

/** Returns the command with UTF-8 as its character set where the locale leaves that open (docs/protocol/agent.md §7). */
export function withUtf8(command: PreparedCommand): PreparedCommand {
  const { LC_ALL: all = "", LC_CTYPE: type = "", LANG: language = "" } = command.environment;
  const isUtf8 = /utf-?8/i.test(all || type || language);
  if (isUtf8 || all !== "") return command;
  const characterSet = process.platform === "darwin" ? "UTF-8" : "C.UTF-8";
  return { ...command, environment: { ...command.environment, LC_CTYPE: characterSet } };
}
