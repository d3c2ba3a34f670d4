import { stripVTControlCharacters } from "node:util";

import type { Database } from "../../../platform/db/database.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { withoutNul } from "../../../platform/http/storable-text.ts";
import { topics, type PubSub } from "../../../platform/pubsub/pubsub.ts";
import { insertAppStatus } from "./app-status-queries.ts";

/** States that an app may report. */
export const appStates = ["working", "idle", "complete", "failure"] as const;
export type AppState = (typeof appStates)[number];

/** The longest message, in bytes (docs/protocol/rpc.md §7.13). */
export const maxMessageBytes = 160;
/** The longest address, in characters. */
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

/** Stores the status of an app of the calling agent, each as a new entry (docs/protocol/rpc.md §7.13). */
export async function reportAppStatus(
  {
    db,
    pubsub,
    spend,
  }: {
    readonly db: Database;
    readonly pubsub: PubSub;
    readonly spend: (budget: "statuses") => number;
  },
  { agentId, workspaceId }: AgentCaller,
  { slug, state, message, uri }: AppStatusReport,
): Promise<AppStatusResult> {
  const bytes = Buffer.byteLength(message);
  if (bytes > maxMessageBytes) return { type: "long-message", bytes };
  if (uri.length > maxUriLength) return { type: "long-uri", length: uri.length };
  if (spend("statuses") === 0) return { type: "too-many" };
  const isKnown = await insertAppStatus(db, {
    agentId,
    // PostgreSQL keeps no NUL.
    slug: withoutNul(slug),
    state,
    message: cleanMessage(message),
    uri: cleanUri(withoutNul(uri)),
  });
  if (!isKnown) return { type: "unknown-app" };
  pubsub.publish(topics.workspace(workspaceId));
  return { type: "stored" };
}

/** Schemes whose links run in the page that has them. */
const scriptSchemes: ReadonlySet<string> = new Set(["javascript:", "data:", "vbscript:", "blob:"]);

/** Returns an address, or an empty text for one that would run code when a page links to it. */
export function cleanUri(uri: string): string {
  // The parsed URL counts, as browsers ignore blanks and line ends.
  return scriptSchemes.has(URL.parse(uri)?.protocol ?? "") ? "" : uri;
}

/** Embeddings, overrides and isolates, which show text in another order than that in which it is. */
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
