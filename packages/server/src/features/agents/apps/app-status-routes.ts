import { updateAgentAppStatus } from "@slipway/api/agents/app-status-routes";

import { Invalid, invalidField, RateLimited } from "../../../platform/errors/errors.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import type { Platform } from "../../../platform/platform.ts";
import type { WriteBudgets } from "../calls/write-budgets.ts";
import { type AppState, appStates, maxUriLength, reportAppStatus } from "./app-status-service.ts";

interface AppStatusRouteNeeds extends Pick<Platform, "db" | "pubsub"> {
  readonly budgets: WriteBudgets;
}

/** Adds the route by which an app of an agent reports its status (docs/protocol/rest.md §2.5). */
export function addAppStatusRoute(
  routes: Routes,
  { db, pubsub, budgets }: AppStatusRouteNeeds,
): void {
  routes.agent(updateAgentAppStatus, async ({ body }, agent) => {
    const { app_slug: slug = "", state = "", message = "", uri = "" } = body;
    const report = { slug, state: readState(state), message, uri };
    const spend = (): number => budgets.spend(agent.agentId, "statuses");
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

function readState(text: string): AppState {
  const state = appStates.find((known) => known === text.toLowerCase());
  if (state !== undefined) return state;
  throw new Invalid("Failed to parse request.", { detail: `Invalid state: ${text}` });
}
