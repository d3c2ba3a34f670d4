import { Scope } from "@slipway/runtime";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { fullName } from "../workspaces/workspace-reference.ts";
import type { OpenedAgent } from "./reach-agent.ts";
import { replacementOf } from "./replacement-of.ts";
import { watchNetwork } from "./watch-network.ts";

interface WatchAgentOptions {
  /** Tells that the agent does not answer. */
  readonly say: () => void;
  /** The exit code once it has been replaced (default: that of a failure). */
  readonly exitCode?: number;
}

/**
 * Watches an agent as long as the scope is open. The scope fails with `CommandError` once the agent does not answer because
 * its workspace has been stopped or restarted.
 */
export function watchAgent(
  opened: OpenedAgent,
  { say, exitCode = exitCodes.failure }: WatchAgentOptions,
  { client, clock }: Pick<ClientNeeds, "client" | "clock">,
): Scope {
  const watching = new Scope();
  watching.run((ended) => {
    const look = async (): Promise<void> => {
      if ((await replacementOf(opened, { client, signal: ended })) === undefined) return;
      const name = fullName(opened.workspace);
      throw new CommandError(`workspace ${name} has been stopped or restarted`, {
        exitCode,
        hint: "run the command again to reach it as it is now",
      });
    };
    return watchNetwork(opened.connection, { say, look, clock, signal: ended });
  });
  return watching;
}
