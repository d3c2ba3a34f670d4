import { openTerminal } from "@slipway/api";

import { Invalid, NotFound } from "../../../platform/errors/errors.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { readUuid, requireUuid } from "../../../platform/http/uuid.ts";
import { connectionProblem } from "../service.ts";
import { type ReachNeeds, requireReachable } from "./reach.ts";

export function addPtyRoutes(routes: Routes, needs: ReachNeeds): void {
  routes.userSocket(openTerminal, {
    prepare: async ({ params, query }, user) => {
      await requireReachable(needs.db, user, params.agent);
      await requireTerminalAgent(needs, user, requireUuid(params.agent));
      checkTerminalQuery(query);
    },
    serve: async (socket) => {
      const reason = "agent is unreachable: this server has no network to its agents yet";
      socket.close(1011, `dial workspace agent: ${reason}`);
    },
  });
}

async function requireTerminalAgent(
  { db, clock }: ReachNeeds,
  user: UserCaller,
  agent: string,
): Promise<void> {
  const problem = await connectionProblem(db, user, agent, clock.now());
  if (problem !== undefined) throw new NotFound("Application Unavailable", { detail: problem });
}

interface TerminalQuery {
  readonly reconnect?: string;
  readonly width?: string;
  readonly height?: string;
  readonly backend_type?: string;
}

/** Validates the query, with the texts and the order of docs/protocol/rest.md §6.10. */
function checkTerminalQuery(query: TerminalQuery): void {
  const validations: { field: string; detail: string }[] = [];
  const { reconnect = "", backend_type: backend = "" } = query;
  const refuse = (field: string, wanted: string): void => {
    validations.push({ field, detail: `Query param "${field}" ${wanted}` });
  };
  if (reconnect === "") refuse("reconnect", "is required and cannot be empty");
  else if (readUuid(reconnect) === undefined) refuse("reconnect", "must be a valid uuid");
  for (const field of ["height", "width"] as const) {
    const size = query[field] ?? "";
    if (!/^\d{0,9}$/.test(size)) refuse(field, "must be a valid integer");
  }
  if (!["", "screen", "buffered"].includes(backend)) {
    refuse("backend_type", 'must be "screen" or "buffered"');
  }
  if (validations.length > 0) {
    throw new Invalid("Invalid query parameters.", { validations });
  }
}
