import { escapeHtml, htmlPage } from "../../platform/http/html-page.ts";

function page(content: string): string {
  return htmlPage("Log in to Slipway", `<h1>Slipway</h1>\n${content}`);
}

export interface LogInForm {
  /** The token that comes back with the form and must match the visitor's cookie. */
  readonly formToken: string;
  readonly purpose: string;
  /** The path, with its query, to which the form is sent. */
  readonly action: string;
  readonly email: string;
  readonly problem: string | undefined;
}

/** Returns the login form; after a failed attempt with the problem. */
export function logInPage({ formToken, purpose, action, email, problem }: LogInForm): string {
  return page(`<p>${escapeHtml(purpose)}</p>
${problem === undefined ? "" : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>`}
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="form_token" value="${escapeHtml(formToken)}">
<label>Email <input name="email" type="email" autocomplete="username" required value="${escapeHtml(email)}"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`);
}

/** Returns the page with the key to copy. The key is in no address and in no cookie. */
export function keyPage(key: string, username: string): string {
  return page(`<p>You are signed in as <strong>${escapeHtml(username)}</strong>.</p>
<p>Copy this key and paste it where you were asked for it. It is shown once and works for a week.</p>
<p class="key"><code>${escapeHtml(key)}</code></p>`);
}

/** Returns the page of a browser that is logged in, on its way to a path of the server. */
export function loggedInPage(path: string, username: string): string {
  return page(`<p>You are signed in as <strong>${escapeHtml(username)}</strong>.</p>
<p><a href="${escapeHtml(path)}">Continue</a></p>`);
}
