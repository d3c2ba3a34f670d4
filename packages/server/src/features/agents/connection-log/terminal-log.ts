import { randomUUID } from "node:crypto";

import { type Clock, errorText, type Logger } from "@slipway/runtime";

import type { Database } from "../../../platform/db/database.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import type { WriteBudgets } from "../rpc/write-budgets.ts";
import { insertTerminal, updateEnd } from "./queries.ts";

/** A terminal of a user, as the server opens it. */
export interface NewTerminal {
  readonly agentId: string;
  readonly userId: string;
  /** The address from which the server sees the user; undefined if unknown. */
  readonly ip: string | undefined;
}

/** A terminal that is open. */
export interface OpenTerminal {
  /** Records the end. Never rejects. */
  close(end: TerminalEnd): Promise<void>;
}

/** The end of a terminal, in the words of docs/protocol/agent.md §5.5. */
export const terminalEnds = {
  graceful: { statusCode: 0, reason: "graceful" },
  lost: { statusCode: 1, reason: "network_error" },
} as const;
export type TerminalEnd = (typeof terminalEnds)[keyof typeof terminalEnds];

interface Needs {
  readonly db: Database;
  readonly clock: Clock;
  readonly budgets: Pick<WriteBudgets, "spend">;
  readonly logger: Logger;
}

/** Records the terminals that the server opens: their agents see the server, and nobody behind it. */
export class TerminalLog {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Records the begin of a terminal, unless there are too many of its agent. */
  async open(terminal: NewTerminal): Promise<OpenTerminal> {
    const { db, clock, budgets, logger } = this.#needs;
    const { agentId, userId } = terminal;
    if (budgets.spend(agentId, "terminals") === 0) {
      logger.warn({ agent: agentId, user: userId }, "terminals: too many, one was not recorded");
      return { close: async () => undefined };
    }
    const id = randomUUID();
    const now = (): string => timestampFromMs(clock.now());
    await insertTerminal(db, { ...terminal, id, at: now() });
    return {
      close: async (end) => {
        try {
          await updateEnd(db, { id, agentId, at: now(), ...end });
        } catch (error) {
          logger.warn(
            { agent: agentId, error: errorText(error) },
            "end of a terminal not recorded",
          );
        }
      },
    };
  }
}
