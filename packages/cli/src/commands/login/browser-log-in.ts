import {
  createDeviceLogin,
  type DeviceLogin,
  redeemDeviceLogin,
} from "@slipway/api/users/device-routes";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { openPage } from "../../command/open-page.ts";
import { readPatiently } from "../../command/patient-read.ts";

type BrowserNeeds = Pick<Needs, "terminal" | "clock" | "opener" | "signal">;

interface BrowserOptions {
  /** The login provider to go to at once; undefined to let the person choose on the page. */
  readonly provider: string | undefined;
  /** True if a browser is opened on this machine. */
  readonly open: boolean;
}

/**
 * Logs in with a browser on this or any other machine: shows a code, which the person approves there, and resolves to the
 * token of the session.
 */
export async function logInByBrowser(
  client: ApiClient,
  { provider, open }: BrowserOptions,
  needs: BrowserNeeds,
): Promise<string> {
  const { terminal, clock, signal } = needs;
  const login = await client.call(createDeviceLogin, { signal });
  const page = pageOf(client, login, provider);
  terminal.err.line(`open this page and check that it shows the code ${login.user_code}:`);
  terminal.err.line(page);
  if (open) await openPage(page, needs);
  const endMs = clock.now() + login.expires_in * 1000;
  while (clock.now() < endMs) {
    await clock.sleep(login.interval * 1000, signal);
    const token = await readPatiently(() => redeem(client, login, signal), needs);
    if (token !== undefined) return token;
  }
  throw expired(login);
}

/** Returns the page at the address by which this machine knows the server. */
function pageOf(
  { serverUrl }: ApiClient,
  login: DeviceLogin,
  provider: string | undefined,
): string {
  const { pathname, search } = new URL(login.verification_uri_complete, serverUrl);
  const path = `${pathname}${search}`;
  if (provider === undefined) return `${serverUrl}${path}`;
  const query = new URLSearchParams({ redirect: path }).toString();
  return `${serverUrl}/login/with/${encodeURIComponent(provider)}?${query}`;
}

/** Asks for the session; resolves to undefined until the code is approved. */
async function redeem(
  client: ApiClient,
  login: DeviceLogin,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { device_code } = login;
    const { session_token } = await client.call(redeemDeviceLogin, {
      body: { device_code },
      signal,
    });
    return session_token;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 400)) throw error;
    if (error.body.detail === "authorization_pending") return undefined;
    if (error.body.detail === "access_denied") throw refused(login);
    throw expired(login);
  }
}

function expired({ user_code: code }: DeviceLogin): CommandError {
  return new CommandError(`the code ${code} has expired`, {
    hint: "run the command again",
    exitCode: exitCodes.unauthorized,
  });
}

function refused({ user_code: code }: DeviceLogin): CommandError {
  return new CommandError(`the login with the code ${code} was refused in the browser`, {
    exitCode: exitCodes.unauthorized,
  });
}
