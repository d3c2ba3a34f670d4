/** Text as HTML shows it. */
function escapeHtml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character);
}

const style = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 4rem auto; padding: 0 1rem }
label { display: block; margin: 1rem 0 } input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem }
button { font: inherit; padding: .4rem 1rem } code { font-size: 1.1rem; user-select: all; overflow-wrap: anywhere }`;

function page(content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in to Slipway</title>
<style>${style}</style>
</head>
<body>
<h1>Slipway</h1>
${content}
</body>
</html>
`;
}

interface LogInForm {
  /** Comes back with the form, and must be that of the visitor's cookie. */
  readonly formToken: string;
  readonly email: string;
  readonly problem: string | undefined;
}

/** The form; after a failed attempt with what was wrong. */
export function logInPage({ formToken, email, problem }: LogInForm): string {
  return page(`<p>Log in to get a key for the command or the editor that sent you here.</p>
${problem === undefined ? "" : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>`}
<form method="post" action="/cli-auth">
<input type="hidden" name="form_token" value="${escapeHtml(formToken)}">
<label>Email <input name="email" type="email" autocomplete="username" required value="${escapeHtml(email)}"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`);
}

/** The key, to be copied. It is in no address and in no cookie. */
export function keyPage(key: string): string {
  return page(`<p>Copy this key and paste it where you were asked for it. It is shown once and works for a week.</p>
<p><code>${escapeHtml(key)}</code></p>`);
}
