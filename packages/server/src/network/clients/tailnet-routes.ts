import { randomUUID } from "node:crypto";

import { coordinateAgent, joinTailnet } from "@slipway/api/agents/tailnet-routes";
import { maxSessionMessageBytes } from "@slipway/rpc";

import { negotiateVersion } from "../../features/agents/connections/api-version.ts";
import { requireReachable } from "../../features/agents/service.ts";
import type { Database } from "../../platform/db/database.ts";
import { Unauthenticated } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { ClientAccess } from "./client-access.ts";
import { type ClientSessionNeeds, type NewClient, serveClient } from "./client-session.ts";
import type { ResumeTokens } from "./resume-token.ts";

interface TailnetRouteNeeds extends ClientSessionNeeds {
  readonly db: Database;
  readonly tokens: ResumeTokens;
}

/** Adds the routes on which clients join the network (docs/protocol/rpc.md §1.1). */
export function addTailnetRoutes(routes: Routes, needs: TailnetRouteNeeds): void {
  const { db, tokens, access } = needs;
  routes.userSocket(coordinateAgent, {
    maxMessageBytes: maxSessionMessageBytes,
    prepare: async ({ params, query }, user): Promise<NewClient> => {
      await requireReachable(db, user, params.agent);
      const agentId = requireUuid(params.agent);
      // Absent means a version that no server supports any more (docs/protocol/rest.md §6.8).
      negotiateVersion(query.version ?? "1.0");
      const audience = `agent:${agentId}`;
      const peerId = peerIdOf(tokens, query.resume_token, user, audience);
      const mayReach = async (destination: string): Promise<string | undefined> => {
        if (destination !== agentId) {
          return `invalid agent id, expected ${agentId}, got ${destination}`;
        }
        return reachProblem(access, user, destination);
      };
      return { user, peerId, audience, agentId, mayReach };
    },
    serve: (socket, client) => serveClient(needs, socket, client),
  });
  routes.userSocket(joinTailnet, {
    maxMessageBytes: maxSessionMessageBytes,
    prepare: async ({ query }, user): Promise<NewClient> => {
      negotiateVersion(query.version);
      const audience = "tailnet";
      const peerId = peerIdOf(tokens, query.resume_token, user, audience);
      const mayReach = (destination: string): Promise<string | undefined> =>
        reachProblem(access, user, destination);
      return { user, peerId, audience, agentId: undefined, mayReach };
    },
    serve: (socket, client) => serveClient(needs, socket, client),
  });
}

/** Returns the id of a new peer, or that of a token's peer; throws `Unauthenticated` for an invalid token. */
function peerIdOf(
  tokens: ResumeTokens,
  token: string | undefined,
  user: UserCaller,
  audience: string,
): string {
  if (token === undefined || token === "") return randomUUID();
  const resumed = tokens.read(token, { userId: user.id, audience });
  if (resumed !== undefined) return resumed;
  const message = "Invalid resume token";
  // Makes a stock client drop the token and connect without it.
  throw new Unauthenticated(message, { validations: [{ field: "resume_token", detail: message }] });
}

async function reachProblem(
  access: ClientAccess,
  user: UserCaller,
  agentId: string,
): Promise<string | undefined> {
  if (await access.mayReach(user, agentId)) return undefined;
  return "workspace agent not found or you do not have permission";
}
