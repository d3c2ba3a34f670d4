import type { AuditNotes } from "../features/audit/note-service.ts";
import { GrantTokens } from "../features/oauth-server/grant-tokens.ts";
import { addConsentPage } from "../features/oauth-server/page-routes.ts";
import { addOauthRoutes } from "../features/oauth-server/token-routes.ts";
import { SealedNotes } from "../platform/auth/sealed-notes.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { createKeyHolders } from "../platform/auth/service.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";

interface OauthParts {
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
}

/** Adds the authorization server, by which programs such as MCP clients log in for users who agree. */
export function wireOauthServer(
  { app, requestLimits, settings: { limits }, accessUrl, urlFor }: Site,
  { db, clock }: Pick<Platform, "db" | "clock">,
  { secrets, notes: auditNotes }: OauthParts,
): void {
  const notes = new SealedNotes(secrets, "oauth server", clock);
  const urls = { accessUrl, urlFor };
  const holders = createKeyHolders(db, limits);
  addConsentPage(app, { db, notes, holders, limits: requestLimits, ...urls });
  const tokens = new GrantTokens(secrets);
  addOauthRoutes(app, { db, notes, tokens, auditNotes, limits, requestLimits, ...urls });
}
