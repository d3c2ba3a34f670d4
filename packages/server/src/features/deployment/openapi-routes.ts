import * as contract from "@slipway/api";

import type { Routes } from "../../platform/http/routes.ts";

/** Adds the description of the API, built from the very routes and schemas that the server validates with. */
export function addOpenApiRoutes(routes: Routes, version: string): void {
  routes.anyoneFixed(contract.getOpenApi, () => ({
    ...contract.describeApi(contract, version.replace(/^v/, "")),
  }));
}
