import { listTemplates as listTemplatesRoute } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import type { ApiClient } from "@slipway/sdk/http";

import { withinOrganization } from "../../command/within-organization.ts";

/** Lists the templates of an organization, by its name or id; those of every organization unless one is named. */
export async function listTemplates(
  client: ApiClient,
  organization: string,
  signal: AbortSignal,
): Promise<readonly Template[]> {
  const templates = await client.call(listTemplatesRoute, { signal });
  return withinOrganization(templates, organization, { client, signal });
}
