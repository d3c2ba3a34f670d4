import { Invalid } from "../../../platform/errors/errors.ts";
import {
  readVersionLogIns,
  type VersionLogInNeeds,
} from "../../templates/external-auth-service.ts";
import { findOrigin } from "./find-origin.ts";
import type { NewWorkspace } from "./new-workspace.ts";

/**
 * Throws `Invalid` unless the owner of a new workspace is logged in to the providers that its version requires. A server
 * without providers requires none. Providers may be slow: call it before the workspace waits for its turn.
 */
export async function requireLogIns(
  needs: VersionLogInNeeds,
  input: Pick<NewWorkspace, "ownerId" | "templateId" | "versionId">,
  signal: AbortSignal,
): Promise<void> {
  if (needs.providers.list.length === 0) return;
  const { version } = await findOrigin(needs.db, input);
  const logIns = await readVersionLogIns(needs, input.ownerId, version.id, signal);
  const missing = logIns.filter((one) => !one.authenticated && one.optional !== true);
  if (missing.length === 0) return;
  const names = missing.map((one) => one.display_name).join(" and ");
  throw new Invalid(`The owner of the workspace is not logged in to ${names}.`, {
    detail: `Log in at ${missing.map((one) => one.authenticate_url).join(" and ")}, then try again.`,
  });
}
