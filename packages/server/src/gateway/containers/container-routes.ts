import {
  deleteDevcontainer,
  getContainers,
  recreateDevcontainer,
  watchContainers,
} from "@slipway/api/agents/container-routes";
import { printableLine } from "@slipway/runtime";
import type { WebSocket } from "ws";

import {
  agentChangeEntry,
  type ReachNeeds,
  requireAgentPlace,
  requireConnected,
} from "../../features/agents/service.ts";
import type { AuditNotes } from "../../features/audit/note-service.ts";
import { mayActFor } from "../../platform/auth/rights.ts";
import { forbidden, invalidField } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { keepAlive, refuseMessages } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { AgentHttp } from "../agent-http/agent-http.ts";
import {
  type LabelFilter,
  parseContainerList,
  parseLabelFilter,
  withLabels,
} from "./container-list.ts";
import { relayLists } from "./relay-lists.ts";

interface ContainerNeeds extends ReachNeeds {
  readonly agents: AgentHttp;
  readonly notes: Pick<AuditNotes, "record">;
}

const path = "/api/v0/containers";
/** The maximum size of a list, in bytes (docs/protocol/agent.md §8.6). */
const maxListBytes = 4 * 1024 * 1024;
/** The time for an agent to list its containers, and to stop and remove one. */
const listTimeoutMs = 30_000;
const removeTimeoutMs = 120_000;
/** The maximum length of a dev container's id in an audit entry. */
const maxAuditedLength = 100;

/** Adds the routes that reach the containers of a workspace through its agent (docs/protocol/rest.md §6.5). */
export function addContainerRoutes(routes: Routes, needs: ContainerNeeds): void {
  const { db, clock, agents } = needs;
  routes.user(getContainers, async ({ params, query, raw }, user) => {
    const agentId = requireUuid(params.agent);
    await requireAgentPlace(db, user, agentId);
    const filters = requireLabelFilters([query.label ?? []].flat());
    await requireConnected(needs, user, agentId);
    const list = await routes.waitFor(raw, (signal) =>
      agents.json(agentId, {
        method: "GET",
        path,
        maxAnswerBytes: maxListBytes,
        timeoutMs: listTimeoutMs,
        signal,
      }),
    );
    return withLabels(parseContainerList(list), filters);
  });
  routes.userSocket(watchContainers, {
    prepare: async ({ params }, user): Promise<WebSocket> => {
      const agentId = requireUuid(params.agent);
      await requireConnected(needs, user, agentId);
      const signal = AbortSignal.timeout(listTimeoutMs);
      const call = { path: `${path}/watch`, maxMessageBytes: maxListBytes, signal };
      return agents.openSocket(agentId, call);
    },
    serve: async (socket, agent) => {
      keepAlive(socket);
      refuseMessages(socket, 1003, "this stream takes no messages");
      await relayLists(agent, socket, clock);
    },
  });
  routes.user(deleteDevcontainer, async ({ params, raw }, user) => {
    const agentId = await beginChange(needs, user, { ...params, operation: "delete" });
    await routes.waitFor(raw, (signal) =>
      agents.json(agentId, {
        method: "DELETE",
        path: devcontainerPath(params.devcontainer),
        timeoutMs: removeTimeoutMs,
        signal,
      }),
    );
    return null;
  });
  routes.user(recreateDevcontainer, async ({ params, raw }, user) => {
    const agentId = await beginChange(needs, user, { ...params, operation: "recreate" });
    await routes.waitFor(raw, (signal) =>
      agents.json(agentId, {
        method: "POST",
        path: `${devcontainerPath(params.devcontainer)}/recreate`,
        signal,
      }),
    );
    return { message: "The dev container is being recreated." };
  });
}

function devcontainerPath(devcontainer: string): string {
  return `${path}/devcontainers/${encodeURIComponent(devcontainer)}`;
}

function requireLabelFilters(labels: readonly string[]): readonly LabelFilter[] {
  const filters = labels.map((label) => parseLabelFilter(label));
  return filters.map((filter) => {
    if (filter !== undefined) return filter;
    throw invalidField(
      "label",
      'must have the form key=value, with one "="',
      "Invalid label format",
    );
  });
}

/** A change of a dev container that is about to be made. */
interface ContainerChange {
  readonly agent: string;
  readonly devcontainer: string;
  readonly operation: "recreate" | "delete";
}

/**
 * Requires the permission to change what runs in a workspace, and a connected agent; records the change. Resolves to the
 * agent's id.
 */
async function beginChange(
  needs: ContainerNeeds,
  user: UserCaller,
  { agent, devcontainer, operation }: ContainerChange,
): Promise<string> {
  const agentId = requireUuid(agent);
  const place = await requireAgentPlace(needs.db, user, agentId);
  if (!mayActFor(user, place.owner_id)) {
    throw forbidden(
      "Only the owner of a workspace, or a user with the owner role, can change what runs in it.",
    );
  }
  await requireConnected(needs, user, agentId);
  const fields = {
    operation: `${operation} dev container`,
    devcontainer: printableLine(devcontainer.slice(0, maxAuditedLength)),
  };
  await needs.notes.record(agentChangeEntry(user, agentId, place, fields));
  return agentId;
}
