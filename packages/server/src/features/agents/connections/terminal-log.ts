import { randomUUID } from "node:crypto";

import { errorText } from "@slipway/runtime";

import type { Queryable } from "../../../platform/db/database.ts";
import { timestampFromMs } from "../../../platform/db/timestamp.ts";
import type { Platform } from "../../../platform/platform.ts";
import type { WriteBudgets } from "../calls/write-budgets.ts";

/** A terminal that the server opens for a user. */
export interface NewTerminal {
  readonly agentId: string;
  readonly userId: string;
  /** The address from which the server sees the user; undefined if unknown. */
  readonly ip: string | undefined;
}

/** An open terminal. */
export interface OpenTerminal {
  /** Records the end. Never rejects. */
  close(end: TerminalEnd): Promise<void>;
}

/** The ways in which a terminal ends, in the words of docs/protocol/agent.md §5.5. */
export const terminalEnds = {
  graceful: { statusCode: 0, reason: "graceful" },
  lost: { statusCode: 1, reason: "network_error" },
} as const;
export type TerminalEnd = (typeof terminalEnds)[keyof typeof terminalEnds];

interface TerminalLogNeeds extends Pick<Platform, "db" | "clock" | "logger"> {
  readonly budgets: Pick<WriteBudgets, "spend">;
}

/** Records the terminals that the server opens: their agents see only the server, not the user behind it. */
export class TerminalLog {
  readonly #needs: TerminalLogNeeds;

  constructor(needs: TerminalLogNeeds) {
    this.#needs = needs;
  }

  /** Records the beginning of a terminal, unless its agent has too many. */
  async open(terminal: NewTerminal): Promise<OpenTerminal> {
    const { db, clock, budgets, logger } = this.#needs;
    const { agentId, userId } = terminal;
    if (budgets.spend(agentId, "terminals") === 0) {
      logger.warn(
        { agent: agentId, user: userId },
        "terminal not recorded: too many in a short time",
      );
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
            "cannot record the end of a terminal",
          );
        }
      },
    };
  }
}

interface TerminalRow {
  readonly id: string;
  readonly agentId: string;
  readonly userId: string;
  readonly ip: string | undefined;
  readonly at: string;
}

/** Inserts the connection of a terminal that the server has opened. */
async function insertTerminal(
  db: Queryable,
  { id, agentId, userId, ip = "", at }: TerminalRow,
): Promise<void> {
  await db
    .insertInto("workspace_connections")
    .values({
      id,
      workspace_agent_id: agentId,
      type: "reconnecting_pty",
      user_id: userId,
      ip: ip === "" ? null : ip,
      connected_at: at,
    })
    .execute();
}

interface TerminalEndRow {
  readonly id: string;
  readonly agentId: string;
  readonly at: string;
  readonly statusCode: number;
  readonly reason: string;
}

/** Sets the end of a connection. */
async function updateEnd(
  db: Queryable,
  { id, agentId, at, statusCode, reason }: TerminalEndRow,
): Promise<void> {
  await db
    .updateTable("workspace_connections")
    .where("workspace_agent_id", "=", agentId)
    .where("id", "=", id)
    .set({ disconnected_at: at, status_code: statusCode, reason })
    .execute();
}
