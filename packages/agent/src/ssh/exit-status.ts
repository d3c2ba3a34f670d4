import type { SessionEnd } from "../connections/session-log.ts";
import type { Exit } from "../process/spawn-group.ts";

/** Exit statuses that no command has given (docs/protocol/agent.md §6.4). */
export const exitStatus = {
  /** It was killed by a signal. */
  killed: 255,
  /** It could not be run. */
  failed: 229,
  /** It would have transferred files, which is blocked. */
  transferBlocked: 65,
  containerUnsupported: 1,
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
