import type { TemplateVersionExternalAuth } from "@slipway/api/external-auth/external-auth";
import type { ExternalAuthDefinition } from "@slipway/template";

import { NotFound } from "../../platform/errors/errors.ts";
import { type ExternalAuthNeeds, providerPath, usableToken } from "../external-auth/service.ts";
import { requireVersion } from "./version-service.ts";

export interface VersionLogInNeeds extends ExternalAuthNeeds {
  readonly accessUrl: () => string;
}

/**
 * Lists the providers that a version uses, and whether the user is logged in to each. Throws `NotFound` for one that this
 * server does not have, unless it is optional.
 */
export async function readVersionLogIns(
  needs: VersionLogInNeeds,
  userId: string,
  versionId: string,
  signal: AbortSignal,
): Promise<TemplateVersionExternalAuth[]> {
  const { definition } = await requireVersion(needs.db, versionId);
  const wanted = definition?.externalAuth ?? [];
  const found = await Promise.all(wanted.map((one) => readLogIn(needs, userId, one, signal)));
  return found.filter((one) => one !== undefined);
}

async function readLogIn(
  needs: VersionLogInNeeds,
  userId: string,
  { id, isOptional }: ExternalAuthDefinition,
  signal: AbortSignal,
): Promise<TemplateVersionExternalAuth | undefined> {
  const provider = needs.providers.byId(id);
  if (provider === undefined) {
    if (isOptional) return undefined;
    throw new NotFound(
      `The template version uses the external auth provider "${id}", which this server does not have.`,
      { detail: "An administrator can configure it, or the template can make it optional." },
    );
  }
  const token = await usableToken(needs, userId, provider, signal);
  return {
    id,
    type: provider.type,
    display_name: provider.displayName,
    display_icon: provider.displayIcon,
    authenticate_url: `${needs.accessUrl()}${providerPath(provider)}`,
    authenticated: token.type === "valid",
    optional: isOptional,
  };
}
