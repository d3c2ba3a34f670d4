import type { Logger } from "@slipway/runtime";
import type { ServerChannel } from "ssh2";

import type { SshSettings } from "../../config/ssh-settings.ts";
import type { DescriptorBudget, DescriptorShare } from "../../connections/descriptors.ts";
import type { SessionLog } from "../../connections/session-log.ts";
import type { ContainerSessions } from "../../containers/container-feature.ts";
import type { CommandHost } from "../../process/run-command.ts";
import type { PreparedCommand } from "../../process/spawn-group.ts";
import type { CommandVariables } from "../../process/workspace-commands.ts";
import type { ConnectionOutput } from "../channel-output.ts";
import type { X11Request } from "../x11/x11-display.ts";

/** The parts of the agent that its SSH sessions need. */
export interface SshHost {
  /** Prepares a command of the workspace. Rejects with `ProcessError` if none can run. */
  readonly prepare: (text: string, variables: CommandVariables) => Promise<PreparedCommand>;
  readonly commands: CommandHost;
  readonly containers: ContainerSessions;
  readonly sessions: SessionLog;
  /** Resolves to the greeting of a shell on a terminal, its lines ended by CRLF. */
  readonly greeting: () => Promise<string>;
  readonly descriptors: DescriptorBudget;
  readonly settings: SshSettings;
  readonly logger: Logger;
}

/** The parts of the connection that its sessions need. */
export interface SessionConnection {
  readonly remoteAddress: string | undefined;
  readonly output: ConnectionOutput;
  readonly descriptors: DescriptorShare;
  /** Aborted when the connection is closed, or the agent shuts down. */
  readonly ended: AbortSignal;
  /** Makes the client's authentication agent available to all later commands of the connection. */
  readonly forwardAgent: () => void;
  /** Resolves to the path of the socket of the client's authentication agent, if it was forwarded. */
  readonly agentSocket: () => Promise<string | undefined>;
  /** Offers the client's X11 display to a session until the signal is aborted; resolves to the value of `DISPLAY`. */
  readonly openDisplay: (
    request: X11Request,
    authorityFile: string,
    ended: AbortSignal,
  ) => Promise<string>;
  /** Counts the channel's unread bytes while the channel is open. */
  readonly watch: (channel: ServerChannel, ended: AbortSignal) => void;
}
