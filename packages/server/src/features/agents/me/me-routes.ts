import {
  createAgentLogSource,
  getAgentGitKey,
  type LogLevel,
  nilUuid,
  updateAgentAppStatus,
  updateAgentLogs,
} from "@slipway/api";
import type { Clock } from "@slipway/runtime";

import type { SecretBox } from "../../../platform/auth/secret-box.ts";
import { rejectedAgentToken } from "../../../platform/auth/service.ts";
import type { Database } from "../../../platform/db/database.ts";
import { Invalid, invalidField, RateLimited, TooLarge } from "../../../platform/errors/errors.ts";
import { originOf } from "../../../platform/http/request-origin.ts";
import type { RouteRequest } from "../../../platform/http/route-request.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { requireUuid } from "../../../platform/http/uuid.ts";
import type { PubSub } from "../../../platform/pubsub/pubsub.ts";
import type { AuditNotes } from "../../audit/note-service.ts";
import { ensureGitKey } from "../../users/git-key-service.ts";
import { linesBytes, type NewLogLine, packLines } from "../logs/log-lines.ts";
import { createLogSource, ensureExternalSource, storeAgentLogs } from "../logs/log-service.ts";
import { maxLogBytes } from "../logs/log-store.ts";
import type { BudgetName, WriteBudgets } from "../rpc/write-budgets.ts";
import { type AppState, appStates, maxUriLength, reportAppStatus } from "./app-status-service.ts";
import { noteGitKeyRead, requireActiveOwner } from "./owner-secrets.ts";

interface LogNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
  /** Counts the lines of logs that were stored. */
  readonly storedLogLines: { inc(count: number): void };
}

/** Adds the routes for the logs of an agent, or a program with its token (docs/protocol/rest.md §2.3 and §2.4). */
export function addMeLogRoutes(routes: Routes, needs: LogNeeds): void {
  const { db, clock } = needs;
  routes.agent(
    updateAgentLogs,
    async ({ body: { log_source_id: source = nilUuid, logs = [] } }, agent) => {
      if (logs.length === 0) throw new Invalid("No logs provided.");
      const lines = logs.map(readLine);
      if (linesBytes(lines) > maxLogBytes) throw new TooLarge("Logs limit exceeded");
      const id = requireUuid(source);
      const sourceId = id === nilUuid ? await ensureExternalSource(db, agent.agentId) : id;
      if (!(await storeAgentLogs(needs, agent, sourceId, packLines(lines))))
        throw rejectedAgentToken();
      return null;
    },
  );
  routes.agent(createAgentLogSource, async ({ body }, agent) => {
    const { id = nilUuid, display_name: displayName = "", icon = "" } = body;
    const source = { id: requireUuid(id), displayName, icon };
    await createLogSource(db, agent.agentId, source);
    return {
      workspace_agent_id: agent.agentId,
      id: source.id,
      created_at: new Date(clock.now()).toISOString(),
      display_name: displayName,
      icon,
    };
  });
}

interface StatusNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly budgets: WriteBudgets;
}

/** Adds the route by which an app of an agent reports its status (docs/protocol/rest.md §2.5). */
export function addMeStatusRoute(routes: Routes, { db, pubsub, budgets }: StatusNeeds): void {
  routes.agent(updateAgentAppStatus, async ({ body }, agent) => {
    const { app_slug: slug = "", state = "", message = "", uri = "" } = body;
    const report = { slug, state: readState(state), message, uri };
    const spend = (name: BudgetName): number => budgets.spend(agent.agentId, name);
    const result = await reportAppStatus({ db, pubsub, spend }, agent, report);
    switch (result.type) {
      case "stored":
        return null;
      case "long-message": {
        const detail = "Message must be less than 160 characters.";
        const validations = [{ field: "message", detail }];
        throw new Invalid("Message is too long.", { detail, validations });
      }
      case "long-uri": {
        const detail = `must have at most ${maxUriLength} characters, found ${result.length}`;
        throw invalidField("uri", detail, "URI is too long.");
      }
      case "too-many":
        throw new RateLimited("Too many status updates. Try again in a minute.", {
          retryAfterSeconds: 60,
        });
      case "unknown-app":
        throw new Invalid("Failed to get workspace app.", {
          detail: `No app found with slug ${JSON.stringify(slug)}`,
        });
    }
  });
}

interface SecretNeeds {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
}

/** Adds the route that gives an agent its owner's SSH key for Git (docs/protocol/rest.md §2.7). */
export function addMeGitKeyRoute(routes: Routes, { db, secrets, notes }: SecretNeeds): void {
  routes.agent(getAgentGitKey, async ({ raw }, agent) => {
    const place = await requireActiveOwner(db, agent);
    const pair = await ensureGitKey(db, secrets, agent.ownerId);
    await noteGitKeyRead(notes, agent, place, pair.publicKey, originOf(raw, getAgentGitKey.status));
    return { public_key: pair.publicKey, private_key: pair.privateKey };
  });
}

const levels: ReadonlySet<string> = new Set<LogLevel>(["trace", "debug", "info", "warn", "error"]);

function isLevel(level: string): level is LogLevel {
  return levels.has(level);
}

type SentLine = NonNullable<RouteRequest<typeof updateAgentLogs>["body"]["logs"]>[number];

/**
 * Reads a line without the sender's time, which here does not tell a repeated batch from a new one
 * (docs/protocol/rest.md §2.3).
 */
function readLine({ output = "", level = "" }: SentLine): NewLogLine {
  const known = level === "" ? "info" : level;
  if (!isLevel(known)) {
    throw new Invalid("Invalid log level provided.", {
      detail: `invalid log level: ${JSON.stringify(level)}`,
    });
  }
  return { createdNs: 0n, level: known, output };
}

function readState(text: string): AppState {
  const state = appStates.find((known) => known === text.toLowerCase());
  if (state !== undefined) return state;
  throw new Invalid("Failed to parse request.", { detail: `Invalid state: ${text}` });
}
