import type { Readable } from "node:stream";

import type { SessionEnd } from "../../connections/session-log.ts";
import type { Exit } from "../../process/spawn-group.ts";
import type { TerminalSize } from "../../terminal/terminal-size.ts";
import type { ChannelWriter } from "../channel-output.ts";

/** The channel of a session, as its program uses it. */
export interface SessionChannel {
  readonly input: Readable;
  readonly writer: ChannelWriter;
  /** Aborted when the client has closed the channel or the connection, or the agent shuts down. */
  readonly ended: AbortSignal;
  /** Sets the handler of signals, and passes it those that arrived earlier. */
  onSignal(handler: (signal: NodeJS.Signals) => void): void;
  onResize(handler: (size: TerminalSize) => void): void;
}

/** Exit statuses that the agent sets itself (docs/protocol/agent.md §6.4). */
export const exitStatus = {
  /** The command was killed by a signal. */
  killed: 255,
  /** The command cannot run. */
  failed: 229,
  /** The transfer of files is blocked. */
  transferBlocked: 65,
  /** The container does not run the program. */
  noContainer: 1,
} as const;

/** Returns the status for the client, and the reason for the report (docs/protocol/agent.md §5.5). */
export function sessionEndOf(exit: Exit): SessionEnd {
  switch (exit.kind) {
    case "signalled":
      return { statusCode: exitStatus.killed, reason: `killed by ${exit.signal}` };
    case "exited": {
      const { exitCode } = exit;
      return {
        statusCode: exitCode,
        reason: exitCode === 0 ? "graceful" : `exit status ${exitCode}`,
      };
    }
  }
}
