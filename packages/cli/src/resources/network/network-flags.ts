import type { ChoiceFlag, SwitchFlag } from "../../command/flags.ts";

/** `--disable-autostart` of commands that start a stopped workspace. */
export const disableAutostartFlag = {
  kind: "switch",
  variable: "CODER_SSH_DISABLE_AUTOSTART",
  summary: "do not start a stopped workspace",
} as const satisfies SwitchFlag;

/** `--disable-direct-connections` of commands that reach into a workspace. */
export const disableDirectFlag = {
  kind: "switch",
  variable: "CODER_DISABLE_DIRECT_CONNECTIONS",
  summary: "use relays only",
} as const satisfies SwitchFlag;

/** `--wait` of commands that may wait for start scripts. */
export const scriptWaitFlag = {
  kind: "choice",
  choices: ["auto", "yes", "no"],
  summary: "wait for start scripts: auto waits for those that block logins",
} as const satisfies ChoiceFlag;
