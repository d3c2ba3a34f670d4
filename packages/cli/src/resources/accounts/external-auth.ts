import type {
  ExternalAuthDevice,
  TemplateVersionExternalAuth,
} from "@slipway/api/external-auth/external-auth";
import {
  createExternalAuthDevice,
  getExternalAuth,
  redeemExternalAuthDevice,
} from "@slipway/api/external-auth/routes";
import { listTemplateVersionExternalAuth } from "@slipway/api/templates/version-routes";
import { shellWord } from "@slipway/runtime";
import { ApiError } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { openPage } from "../../command/open-page.ts";
import { type PatientNeeds, readPatiently } from "../../command/patient-read.ts";
import type { UrlOpener } from "../../command/url-opener.ts";

/** The argument of commands for one external auth provider. */
export const providerArgument = {
  summary: "id of the provider, as listed by slipway external-auth list",
  required: true,
} as const;

/**
 * Asks the user to log in to the providers that a template version requires, and waits for it; throws `CommandError`
 * if this is not a terminal. Mentions optional providers.
 */
export async function requireLogIns(version: string, needs: LogInNeeds): Promise<void> {
  const { terminal } = needs;
  const missing = await missingLogIns(version, needs);
  for (const one of missing.filter(({ optional }) => optional === true)) {
    terminal.err.line(`not logged in to ${one.display_name}, which is optional: ${loginLine(one)}`);
  }
  const required = missing.filter(({ optional }) => optional !== true);
  const [first] = required;
  if (first === undefined) return;
  if (!terminal.interactive) {
    throw new CommandError(
      `the template needs a login to ${required.map((one) => one.display_name).join(" and ")}`,
      { hint: `log in with: ${loginLine(first)}, or at ${first.authenticate_url}` },
    );
  }
  for (const one of required) await waitForLogIn(version, one, needs);
}

function loginLine({ id }: TemplateVersionExternalAuth): string {
  return `slipway external-auth login ${shellWord(id)}`;
}

async function missingLogIns(
  version: string,
  { client, signal }: Pick<LogInNeeds, "client" | "signal">,
): Promise<readonly TemplateVersionExternalAuth[]> {
  const params = { version };
  const listed = await client.call(listTemplateVersionExternalAuth, { params, signal });
  return listed.filter(({ authenticated }) => !authenticated);
}

async function waitForLogIn(
  version: string,
  { id, display_name, authenticate_url }: TemplateVersionExternalAuth,
  needs: LogInNeeds,
): Promise<void> {
  const { terminal } = needs;
  terminal.err.line(`the template needs a login to ${display_name}: ${authenticate_url}`);
  await openPage(authenticate_url, needs);
  await untilLoggedIn(
    async () => !(await missingLogIns(version, needs)).some((one) => one.id === id),
    needs,
  );
  terminal.err.line(terminal.err.colors.green(`logged in to ${display_name}`));
}

/** The interval of polling for a login, in milliseconds. */
const pollMs = 1_000;
/** The maximum polling interval that a provider may request, in milliseconds. */
const maxIntervalMs = 60_000;

/** The needs of functions that send the user to a page. */
export interface LogInNeeds extends ClientNeeds {
  readonly opener: UrlOpener;
}

interface LogIn {
  readonly provider: string;
  /** The page of the server at which the user logs in. */
  readonly url: string;
  /** True if a browser is opened. */
  readonly open: boolean;
}

/** Waits until the user has logged in at a page of the server in a browser. */
export async function waitForBrowser(
  { provider, url, open }: LogIn,
  needs: LogInNeeds,
): Promise<void> {
  const { client, signal, terminal } = needs;
  terminal.err.line(`log in with a browser: ${url}`);
  if (open) await openPage(url, needs);
  const params = { provider };
  await untilLoggedIn(
    async () => (await client.call(getExternalAuth, { params, signal })).authenticated,
    needs,
  );
}

/** Polls until the user has logged in. */
async function untilLoggedIn(
  isLoggedIn: () => Promise<boolean>,
  needs: PatientNeeds,
): Promise<void> {
  do await needs.clock.sleep(pollMs, needs.signal);
  while (!(await readPatiently(isLoggedIn, needs)));
}

/** Logs the user in with a code that they enter at the provider. */
export async function waitForDevice(
  { provider, open }: Omit<LogIn, "url">,
  needs: LogInNeeds,
): Promise<void> {
  const { client, clock, signal, terminal } = needs;
  const params = { provider };
  const device = await client.call(createExternalAuthDevice, { params, signal });
  const { verification_uri: uri, user_code: code } = device;
  terminal.err.line(`enter the code ${code} at ${uri}`);
  if (open) await openPage(uri, needs);
  let intervalMs = Math.min(device.interval * 1000, maxIntervalMs);
  const endMs = clock.now() + device.expires_in * 1000;
  while (clock.now() < endMs) {
    await clock.sleep(intervalMs, signal);
    const answer = await readPatiently(() => redeem(provider, device, needs), needs);
    if (answer === "done") return;
    // The provider asks for a longer interval (RFC 8628 section 3.5).
    if (answer === "slow_down") intervalMs = Math.min(intervalMs + 5_000, maxIntervalMs);
  }
  throw new CommandError(`the code ${code} has expired`, { hint: "run the command again" });
}

async function redeem(
  provider: string,
  { device_code }: ExternalAuthDevice,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<"done" | "authorization_pending" | "slow_down"> {
  try {
    const params = { provider };
    await client.call(redeemExternalAuthDevice, { params, body: { device_code }, signal });
    return "done";
  } catch (error) {
    const detail = error instanceof ApiError ? error.body.detail : undefined;
    if (detail === "authorization_pending" || detail === "slow_down") return detail;
    throw error;
  }
}
