import { escapeHtml, htmlPage } from "../../platform/http/html-page.ts";
import type { AuthorizationRequest } from "./authorization-request.ts";
import { receiverOf } from "./redirect-uri.ts";
import { describeScope } from "./scopes.ts";

function page(title: string, content: string): string {
  return htmlPage(title, `<h1>Slipway</h1>\n${content}`);
}

/** The form of a consent, and the account that it acts for. */
interface ConsentForm {
  /** The path with its query to which the form is sent. */
  readonly action: string;
  readonly username: string;
  readonly nonce: string;
}

/** Returns the page that asks a user whether a program may act for them. */
export function consentPage(
  { client, redirectUri, scopes }: AuthorizationRequest,
  { action, username, nonce }: ConsentForm,
): string {
  const items = scopes.map((scope) => `<li>${escapeHtml(describeScope(scope))}</li>`);
  return page(
    "Allow access",
    `<p>You are signed in as <strong>${escapeHtml(username)}</strong>.</p>
<p>A program that calls itself <strong>“${escapeHtml(client.name)}”</strong> wants to act for you on this server. It chose that name itself.</p>
<p>If you allow it, the access goes to <strong>${escapeHtml(receiverOf(redirectUri))}</strong>, which may then:</p>
<ul>
${items.join("\n")}
</ul>
<p>Allow it only if you have just connected this program yourself. Deleting its token ends the access.</p>
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="nonce" value="${escapeHtml(nonce)}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>`,
  );
}

/** Returns the page that sends a browser back to the program. */
export function returningPage(
  { client }: Pick<AuthorizationRequest, "client">,
  { url, isAllowed }: { readonly url: string; readonly isAllowed: boolean },
): string {
  return page(
    isAllowed ? "Access allowed" : "Access denied",
    `<p>You ${isAllowed ? "allowed" : "denied"} “${escapeHtml(client.name)}” access. You are being sent back to it, and can then close this page.</p>
<p><a href="${escapeHtml(url)}">Continue</a></p>`,
  );
}

/** Returns the page about a request that cannot be granted; `url` tells the program, if a person follows it. */
export function refusedPage(problem: string, url: string | undefined): string {
  const link =
    url === undefined ? "" : `\n<p><a href="${escapeHtml(url)}">Go back to the program</a></p>`;
  return page(
    "Access not possible",
    `<p role="alert"><strong>The request of the program is invalid: ${escapeHtml(problem)}.</strong></p>${link}`,
  );
}
