import { printableLine } from "@slipway/runtime";

import { escapeHtml, htmlPage } from "../../platform/http/html-page.ts";
import type { DeviceCode } from "./device-code.ts";
import type { Provider } from "./provider.ts";

type Named = Pick<Provider, "displayName">;

function page(title: string, content: string): string {
  return htmlPage(title, `<h1>Slipway</h1>\n${content}`);
}

function alert(problem: string | undefined): string {
  return problem === undefined || problem === ""
    ? ""
    : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`;
}

interface LogIn {
  /** The path, with its query, to which the form is sent. */
  readonly action: string;
  readonly problem: string | undefined;
}

/** Returns the page of a user who is not logged in to the provider. */
export function logInPage({ displayName }: Named, { action, problem }: LogIn): string {
  const name = escapeHtml(displayName);
  return page(
    `Log in to ${displayName}`,
    `${alert(problem)}<p>Log in to ${name} so that your workspaces can act for you there.</p>
<form method="post" action="${escapeHtml(action)}">
<button>Log in with ${name}</button>
</form>`,
  );
}

/** Returns the page of a browser on its way to the provider. */
export function leavingPage({ displayName }: Named, url: string): string {
  const name = escapeHtml(displayName);
  return page(
    `Log in to ${displayName}`,
    `<p>You are being sent to ${name}.</p>
<p><a href="${escapeHtml(url)}">Continue to ${name}</a></p>`,
  );
}

/** Returns the page of a user who is logged in to the provider; `login` is the name of their account. */
export function loggedInPage(
  { displayName }: Named,
  { login, action }: { readonly login: string; readonly action: string },
): string {
  const name = escapeHtml(displayName);
  return page(
    `Logged in to ${displayName}`,
    `<p>You are logged in to ${name}${login === "" ? "" : ` as <strong>${escapeHtml(printableLine(login))}</strong>`}. You can close this page.</p>
<form method="post" action="${escapeHtml(action)}">
<button>Log in again</button>
</form>`,
  );
}

interface Device {
  readonly code: Pick<DeviceCode, "userCode" | "verificationUri">;
  readonly deviceCode: string;
  readonly action: string;
  readonly problem: string | undefined;
}

/** Returns the page with the code to enter at the provider. */
export function devicePage(
  { displayName }: Named,
  { code: { userCode, verificationUri }, deviceCode, action, problem }: Device,
): string {
  const name = escapeHtml(displayName);
  return page(
    `Log in to ${displayName}`,
    `${alert(problem)}<p>Enter this code at <a href="${escapeHtml(verificationUri)}" target="_blank" rel="noreferrer">${name}</a>:</p>
<p class="key"><code>${escapeHtml(userCode)}</code></p>
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="device_code" value="${escapeHtml(deviceCode)}">
<button>I have entered the code</button>
</form>`,
  );
}

/** Returns the page of a login that did not complete. */
export function failedPage(
  { displayName }: Named,
  { problem, again }: { readonly problem: string; readonly again: string },
): string {
  return page(
    `Login to ${displayName} failed`,
    `${alert(`The login to ${displayName} failed.`)}<p>${escapeHtml(problem)}</p>
<p><a href="${escapeHtml(again)}">Try again</a></p>`,
  );
}

/** Returns the page for a provider that this server does not have. */
export function unknownPage(): string {
  return page(
    "Unknown provider",
    `<p role="alert"><strong>This server has no such external auth provider.</strong></p>
<p>An administrator can add one: see the documentation on external authentication.</p>`,
  );
}
