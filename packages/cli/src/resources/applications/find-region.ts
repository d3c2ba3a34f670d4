import { listRegions } from "@slipway/api/deployment/routes";
import type { AppRegion } from "@slipway/api/workspaces/app-url";
import type { ApiClient } from "@slipway/sdk/http";

import { notFoundError } from "../../command/not-found.ts";

/** Finds a region that serves applications, by name. Throws `CommandError` for an unknown one. */
export async function findRegion(
  client: ApiClient,
  name: string,
  signal: AbortSignal,
): Promise<AppRegion> {
  const { regions } = await client.call(listRegions, { signal });
  const region = regions.find((one) => one.name === name);
  if (region !== undefined) return region;
  const names = regions.map((one) => one.name).join(", ");
  throw notFoundError(`region ${name}`, `wanted one of ${names}`);
}
