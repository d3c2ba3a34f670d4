import { agentReinit } from "@slipway/api/prebuilds/routes";
import type { FastifyReply, FastifyRequest } from "fastify";

import {
  findAgentToken,
  readAgentToken,
  rejectedAgentToken,
} from "../../../platform/auth/agent-token.ts";
import { Conflict } from "../../../platform/errors/errors.ts";
import { watchClient } from "../../../platform/http/client-disconnect.ts";
import { type EventStream, openEventStream } from "../../../platform/http/event-stream.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import type { Platform } from "../../../platform/platform.ts";
import { decideReinit } from "./decide.ts";
import { followReinit, type ReinitAnswer, type ReinitRequest } from "./follow.ts";
import { gatherReinitMarks, GatheredViews } from "./queries.ts";

/** Adds the route by which an agent learns that its workspace was claimed (docs/protocol/rest.md §2.2, docs/claims.md). */
export function addReinitRoute(routes: Routes, needs: Platform): void {
  const { db, pubsub, clock, logger } = needs;
  const views = new GatheredViews(db);
  const marks = gatherReinitMarks(db, clock);

  /** Also accepts the agents of a prebuild whose claim is in progress: they may do nothing else until its build succeeds. */
  const identify = async (raw: FastifyRequest) => {
    const tokenHash = readAgentToken(findAgentToken(raw));
    const view = await views.read(tokenHash);
    if (view.type === "gone") throw rejectedAgentToken();
    const { agentId, workspaceId, standing } = view;
    return { agentId, workspaceId, wasClaiming: standing === "claiming", tokenHash, view };
  };

  const answer = async (
    raw: FastifyRequest,
    reply: FastifyReply,
    request: ReinitRequest & { readonly tokenHash: Buffer },
  ): Promise<void> => {
    using client = watchClient(raw);
    const answers = followReinit(
      {
        hints: pubsub,
        readView: () => views.read(request.tokenHash),
        markSent: async (agentId) => (await marks.write(agentId)) === true,
        decide: decideReinit,
        clock,
        random: Math.random,
        logger: logger.child({ agent: request.agentId, workspace: request.workspaceId }),
      },
      request,
      client.signal,
    );
    try {
      const first = await answers.next();
      if (first.value?.type === "refuse") throw notWaiting();
      const stream = openEventStream(raw, reply);
      await send(stream, answers);
    } catch (error) {
      if (!client.signal.aborted) throw error;
      // The client is gone.
      reply.hijack();
    }
  };

  routes.agentBy(agentReinit, identify, async ({ query, raw, reply }, { view, ...agent }) => {
    const waits = readFlag(query.wait);
    // A refusal is final, so that the view by which the agent was identified is enough for it.
    if (decideReinit(view, { ...agent, waits, ageMs: 0 }).type === "refuse") throw notWaiting();
    await answer(raw, reply, { ...agent, waits });
    return reply;
  });
}

async function send(stream: EventStream, answers: AsyncIterable<ReinitAnswer>): Promise<void> {
  // Shows proxies and agents at once that the server answers.
  stream.ping();
  try {
    for await (const answer of answers) {
      if (answer.type !== "frame") continue;
      // In this order: stock agents may depend on it (docs/protocol/rest.md §2.2).
      await stream.data({
        workspace_id: answer.workspaceId,
        reason: "prebuild_claimed",
        owner_id: answer.ownerId,
      });
    }
  } catch (error) {
    if (!stream.signal.aborted) throw error;
  } finally {
    stream.end();
  }
}

/** Reads a boolean as Go does, except that nonsense is false (docs/protocol/prebuilds.md §3.1). */
function readFlag(text: string | undefined): boolean {
  return ["1", "t", "T", "true", "TRUE", "True"].includes(text ?? "");
}

function notWaiting(): Conflict {
  return new Conflict("Workspace is not a prebuilt workspace waiting to be claimed.", {
    detail: "No user is claiming this workspace, or its agent has already started for its owner.",
  });
}
