import { stripVTControlCharacters } from "node:util";

import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { storableText } from "../../../platform/fields/storable-text.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { isLiveAgent } from "../live-queries.ts";

/** The states that an app may report. */
export const appStates = ["working", "idle", "complete", "failure"] as const;
export type AppState = (typeof appStates)[number];

/** The maximum length of a message, in bytes (docs/protocol/rpc.md §7.13). */
export const maxMessageBytes = 160;
/** The maximum length of an address, in characters. */
export const maxUriLength = 2048;

/** A status as an app reports it. */
export interface AppStatusReport {
  readonly slug: string;
  readonly state: AppState;
  readonly message: string;
  readonly uri: string;
}

/** The outcome of a report; the first fault counts. */
export type AppStatusResult =
  | { readonly type: "stored" }
  | { readonly type: "long-message"; readonly bytes: number }
  | { readonly type: "long-uri"; readonly length: number }
  | { readonly type: "unknown-app" }
  | { readonly type: "too-many" };

interface AppStatusNeeds extends Pick<Platform, "db" | "pubsub"> {
  readonly spend: (budget: "statuses") => number;
}

/** Stores the status of an app of the calling agent as a new entry (docs/protocol/rpc.md §7.13). */
export async function reportAppStatus(
  { db, pubsub, spend }: AppStatusNeeds,
  { agentId, workspaceId }: AgentCaller,
  { slug, state, message, uri }: AppStatusReport,
): Promise<AppStatusResult> {
  const bytes = Buffer.byteLength(message);
  if (bytes > maxMessageBytes) return { type: "long-message", bytes };
  if (uri.length > maxUriLength) return { type: "long-uri", length: uri.length };
  if (spend("statuses") === 0) return { type: "too-many" };
  const isKnown = await insertAppStatus(db, {
    agentId,
    slug: storableText(slug),
    state,
    message: cleanMessage(message),
    uri: cleanUri(storableText(uri)),
  });
  if (!isKnown) return { type: "unknown-app" };
  pubsub.publish(topics.workspace(workspaceId));
  return { type: "stored" };
}

interface NewAppStatus {
  readonly agentId: string;
  readonly slug: string;
  readonly state: string;
  readonly message: string;
  readonly uri: string;
}

/** The number of statuses kept of an app, newest first: as many as are ever shown. */
const maxStatuses = 100;

/** Stores an app's status; resolves to false if the agent has no such app or is not live. */
async function insertAppStatus(db: Queryable, report: NewAppStatus): Promise<boolean> {
  const { rows } = await sql<{ workspace_app_id: string }>`
    insert into workspace_app_statuses (workspace_app_id, state, message, uri)
      select id, ${report.state}::text, ${report.message}::text, ${report.uri}::text
        from workspace_apps
        where workspace_agent_id = ${report.agentId} and slug = ${report.slug}
          and ${isLiveAgent(report.agentId)}
      returning workspace_app_id`.execute(db);
  const [row] = rows;
  if (row !== undefined) await deleteOldStatuses(db, row.workspace_app_id);
  return row !== undefined;
}

async function deleteOldStatuses(db: Queryable, appId: string): Promise<void> {
  await sql`
    delete from workspace_app_statuses where id = any(array(
      select id from workspace_app_statuses where workspace_app_id = ${appId}
        order by created_at desc, id desc offset ${maxStatuses}))`.execute(db);
}

/** Schemes whose links run code in the page that contains them. */
const scriptSchemes: ReadonlySet<string> = new Set(["javascript:", "data:", "vbscript:", "blob:"]);

/** Returns an address, or an empty text for one that would run code in a page that links to it. */
export function cleanUri(uri: string): string {
  // Parsed, because browsers ignore blanks and line ends.
  return scriptSchemes.has(URL.parse(uri)?.protocol ?? "") ? "" : uri;
}

/** Embeddings, overrides and isolates, which reorder the text that is displayed. */
const textDirections = /[\u202A-\u202E\u2066-\u2069]/gu;

/** Returns a message as plain text of one line: no markup, escape sequences or control characters, single spaces. */
export function cleanMessage(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/<[a-z/!?][^>]*>/gi, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\p{Cc}/gu, "")
    .replaceAll(textDirections, "")
    .trim();
}
