import { listTemplates as listTemplatesRoute, type Template } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

/** Lists the templates of an organization, by its name or id; those of every organization unless one is named. */
export async function listTemplates(
  client: ApiClient,
  organization: string,
  signal: AbortSignal,
): Promise<readonly Template[]> {
  const templates = await client.call(listTemplatesRoute, { signal });
  if (organization === "default") return templates;
  const wanted = organization.toLowerCase();
  return templates.filter(({ organization_id, organization_name }) =>
    [organization_id, organization_name.toLowerCase()].includes(wanted),
  );
}
