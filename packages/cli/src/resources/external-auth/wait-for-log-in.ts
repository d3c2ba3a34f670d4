import type { ExternalAuthDevice } from "@slipway/api/external-auth/external-auth";
import {
  createExternalAuthDevice,
  getExternalAuth,
  redeemExternalAuthDevice,
} from "@slipway/api/external-auth/routes";
import { ApiError } from "@slipway/sdk/http";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { CommandError } from "../../command/errors.ts";
import { readOpenableUrl } from "../../command/openable-url.ts";
import { type PatientNeeds, readPatiently } from "../../command/patient-read.ts";
import type { UrlOpener } from "../../command/url-opener.ts";

/** The time between two questions whether the user has logged in, in milliseconds. */
const askAgainMs = 1_000;
/** The longest time that a provider may have clients wait between two questions. */
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

/** Asks now and then until the user has logged in. */
export async function untilLoggedIn(
  isLoggedIn: () => Promise<boolean>,
  needs: PatientNeeds,
): Promise<void> {
  do await needs.clock.sleep(askAgainMs, needs.signal);
  while (!(await readPatiently(isLoggedIn, needs)));
}

/** Logs the user in by a code that they enter at the provider. */
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
    // The provider asks for more time between two questions (RFC 8628 section 3.5).
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

/** Opens a page in the browser, if it is one and there is one; its address was printed before. */
export async function openPage(
  url: string,
  { opener, terminal, signal }: LogInNeeds,
): Promise<void> {
  const page = readOpenableUrl(url);
  if (opener.obstacle !== undefined || page?.kind !== "page") return;
  await opener.open(page, signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
    terminal.err.line("no browser was opened");
  });
}
