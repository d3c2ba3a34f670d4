import type { Logger } from "@slipway/runtime";

import type { SshSettings } from "../config/ssh-settings.ts";
import type { DescriptorBudget } from "../connections/descriptors.ts";
import type { SessionLog } from "../connections/session-log.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import type { CommandVariables } from "../process/workspace-commands.ts";

/** The agent as its SSH sessions need it. */
export interface SshHost {
  /** Makes a command of the workspace. Rejects with `ProcessError` where none can be run. */
  readonly prepare: (text: string, variables: CommandVariables) => Promise<PreparedCommand>;
  readonly commands: CommandHost;
  readonly sessions: SessionLog;
  /** Returns what a shell on a terminal is greeted with, each line ended by CRLF. */
  readonly greeting: () => Promise<string>;
  readonly descriptors: DescriptorBudget;
  readonly settings: SshSettings;
  readonly logger: Logger;
}
