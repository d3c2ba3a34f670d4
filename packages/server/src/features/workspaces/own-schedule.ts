import { invalidField } from "../../platform/errors/errors.ts";
import type { TemplateTerms } from "../templates/version-queries.ts";
import type { Autostart } from "./queries.ts";

/** Throws `Invalid` for a schedule of the owner's own if the template allows none; having none is always allowed. */
export function requireOwnAutostart(
  template: Pick<TemplateTerms, "name" | "allow_user_autostart">,
  autostart: Autostart | undefined,
): void {
  if (autostart === undefined || template.allow_user_autostart) return;
  throw invalidField(
    "schedule",
    `must be empty: template ${template.name} does not allow users to schedule starts`,
    "Autostart is not allowed for workspaces using this template.",
  );
}

/** Throws `Invalid` for a time to live of the owner's own if the template allows only its default; null: none. */
export function requireOwnTtl(
  template: Pick<TemplateTerms, "name" | "allow_user_autostop" | "default_ttl_ms">,
  ttlMs: number | null,
): void {
  if (template.allow_user_autostop || (ttlMs ?? 0) === template.default_ttl_ms) return;
  throw invalidField(
    "ttl_ms",
    `must be ${template.default_ttl_ms}: template ${template.name} does not allow users to change its default`,
    "Custom autostop TTL is not allowed for workspaces using this template.",
  );
}
