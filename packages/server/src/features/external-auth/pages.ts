import { printableLine } from "@slipway/runtime";

import { escapeHtml, htmlPage } from "../../platform/http/html-page.ts";
import type { DeviceCode } from "./oauth-answer.ts";
import type { Provider } from "./provider.ts";

type NamedProvider = Pick<Provider, "displayName">;

function page(title: string, content: string): string {
  return htmlPage(title, `<h1>Slipway</h1>\n${content}`);
}

function alert(problem: string | undefined): string {
  return problem === undefined || problem === ""
    ? ""
    : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>\n`;
}

/** The form of a page, and the account that it acts for. */
export interface AccountForm {
  /** The path, with its query, to which the form is sent. */
  readonly action: string;
  readonly username: string;
  readonly nonce: string;
}

function form({ action, username, nonce }: AccountForm, content: string): string {
  return `<p>You are signed in as <strong>${escapeHtml(username)}</strong>.</p>
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="nonce" value="${escapeHtml(nonce)}">
${content}
</form>`;
}

interface LogIn extends AccountForm {
  readonly problem: string | undefined;
}

/** Returns the page of a user who is not logged in to the provider. */
export function logInPage({ displayName }: NamedProvider, { problem, ...account }: LogIn): string {
  const name = escapeHtml(displayName);
  return page(
    `Log in to ${displayName}`,
    `${alert(problem)}<p>Log in to ${name} so that your workspaces can act for you there.</p>
${form(account, `<button>Log in with ${name}</button>`)}`,
  );
}

/** Returns the page that sends a browser to the provider. */
export function leavingPage(
  { displayName }: NamedProvider,
  { username, url }: { readonly username: string; readonly url: string },
): string {
  const name = escapeHtml(displayName);
  return page(
    `Log in to ${displayName}`,
    `<p>You are being sent to ${name}, to log in there for <strong>${escapeHtml(username)}</strong>.</p>
<p><a href="${escapeHtml(url)}">Continue to ${name}</a></p>`,
  );
}

/** Returns the page of a user who is logged in to the provider; `login` is the name of their account. */
export function loggedInPage(
  { displayName }: NamedProvider,
  { login, ...account }: AccountForm & { readonly login: string },
): string {
  const name = escapeHtml(displayName);
  return page(
    `Logged in to ${displayName}`,
    `<p>You are logged in to ${name}${login === "" ? "" : ` as <strong>${escapeHtml(printableLine(login))}</strong>`}. You can close this page.</p>
${form(account, "<button>Log in again</button>")}`,
  );
}

interface Device extends LogIn {
  readonly code: Pick<DeviceCode, "userCode" | "verificationUri">;
  readonly deviceCode: string;
}

/** Returns the page with the code to enter at the provider. */
export function devicePage(
  { displayName }: NamedProvider,
  { code: { userCode, verificationUri }, deviceCode, problem, ...account }: Device,
): string {
  const name = escapeHtml(displayName);
  return page(
    `Log in to ${displayName}`,
    `${alert(problem)}<p>Enter this code at <a href="${escapeHtml(verificationUri)}" target="_blank" rel="noreferrer">${name}</a>:</p>
<p class="key"><code>${escapeHtml(userCode)}</code></p>
${form(
  account,
  `<input type="hidden" name="device_code" value="${escapeHtml(deviceCode)}">
<button>I have entered the code</button>`,
)}`,
  );
}

/** Returns the page of a login that did not complete. */
export function failedPage(
  { displayName }: NamedProvider,
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
