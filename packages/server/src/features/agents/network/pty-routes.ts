import { openTerminal } from "@slipway/api";

import type { UserCaller } from "../../../platform/http/caller.ts";
import { HttpError } from "../../../platform/http/errors.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { readUuid, requireUuid } from "../../../platform/http/uuid.ts";
import { type ReachNeeds, requireConnected, requireReachable } from "./reach.ts";

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
  needs: ReachNeeds,
  user: UserCaller,
  agent: string,
): Promise<void> {
  try {
    await requireConnected(needs, user, agent);
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 400) throw error;
    throw new HttpError(404, "Application Unavailable", { detail: error.message });
  }
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
    throw new HttpError(400, "Invalid query parameters.", { validations });
  }
}
