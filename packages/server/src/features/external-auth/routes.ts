import {
  createExternalAuthDevice,
  deleteExternalAuth,
  getExternalAuth,
  listExternalAuth,
  redeemExternalAuthDevice,
} from "@slipway/api/external-auth/routes";

import { watchClient } from "../../platform/http/client-disconnect.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { beginDevice, type DeviceNeeds, redeemDevice } from "./device-service.ts";
import { listProviders, readState } from "./list-service.ts";
import { removeLink, requireProvider } from "./service.ts";

/** Adds the routes for a user's links to external providers. */
export function addExternalAuthRoutes(routes: Routes, needs: DeviceNeeds): void {
  const { providers } = needs;
  routes.user(listExternalAuth, async ({ raw }, user) => {
    using client = watchClient(raw);
    return await listProviders(needs, user.id, client.signal);
  });
  routes.user(getExternalAuth, async ({ params, raw }, user) => {
    const provider = requireProvider(providers, params.provider);
    using client = watchClient(raw);
    return await readState(needs, user.id, provider, client.signal);
  });
  routes.user(deleteExternalAuth, async ({ params, raw }, user) => {
    using client = watchClient(raw);
    return await removeLink(needs, user, params.provider, client.signal);
  });
  routes.user(createExternalAuthDevice, async ({ params, raw }, user) => {
    const provider = requireProvider(providers, params.provider);
    using client = watchClient(raw);
    return await beginDevice(needs, user.id, provider, client.signal);
  });
  routes.user(redeemExternalAuthDevice, async ({ params, body, raw }, user) => {
    const provider = requireProvider(providers, params.provider);
    const { device_code: deviceCode } = body;
    using client = watchClient(raw);
    await redeemDevice(needs, user, provider, { deviceCode, signal: client.signal });
    return null;
  });
}
