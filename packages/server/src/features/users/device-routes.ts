import {
  approveDeviceLogin,
  createDeviceLogin,
  findWaitingProgram,
  redeemDeviceLogin as redeemRoute,
  refuseDeviceLogin,
} from "@slipway/api/users/device-routes";
import type { FastifyRequest } from "fastify";

import { originOf } from "../../platform/http/request-origin.ts";
import type { Routes } from "../../platform/http/routes.ts";
import {
  beginDeviceLogin,
  decideDeviceLogin,
  type DeviceNeeds,
  findDeviceRequest,
  redeemDeviceLogin,
} from "./device-service.ts";

interface DeviceRouteNeeds extends DeviceNeeds {
  /** Returns the URL by which the sender of a request knows the server. */
  readonly urlFor: (request: FastifyRequest) => string;
}

/** Adds the routes for logins of programs that a person approves in a browser. */
export function addDeviceRoutes(routes: Routes, needs: DeviceRouteNeeds): void {
  routes.anyone(createDeviceLogin, ({ raw }) => beginDeviceLogin(needs, needs.urlFor(raw)));
  routes.anyone(redeemRoute, async ({ body, raw }) => {
    const origin = originOf(raw, redeemRoute.status);
    return { session_token: await redeemDeviceLogin(needs, body.device_code, origin) };
  });
  routes.user(findWaitingProgram, async ({ body, raw }, user) => {
    const { code, program } = await routes.waitFor(raw, (signal) =>
      findDeviceRequest(needs, user, body.user_code, signal),
    );
    return { user_code: code, program: program ?? null };
  });
  routes.user(approveDeviceLogin, async ({ body }, user) => {
    await decideDeviceLogin(needs, user, body.user_code, "approved");
    return null;
  });
  routes.user(refuseDeviceLogin, async ({ body }, user) => {
    await decideDeviceLogin(needs, user, body.user_code, "refused");
    return null;
  });
}
