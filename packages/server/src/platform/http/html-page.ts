import type { FastifyReply } from "fastify";

/** Escapes text for HTML. */
export function escapeHtml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character);
}

/** The look of the dashboard, in the colors of its `ui/theme.css`. */
const style = `:root { color-scheme: light dark; --accent: light-dark(#0b6a75, #4cc3cf); --line: light-dark(#848d97, #66717d) }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; overflow-wrap: anywhere; color: light-dark(#171b20, #e9edf1); background: light-dark(#f6f7f8, #0d1013) }
main { max-width: 36rem; margin: 10vh auto 2rem; padding: 1rem 2rem 1.5rem; border: 1px solid light-dark(#e1e4e8, #262c33); border-radius: 10px; background: light-dark(#ffffff, #14181c) }
h1 { font-size: 1.35rem; line-height: 1.4 } a { color: var(--accent) }
label { display: block; margin: 1rem 0 } input { font: inherit; color: inherit; width: 100%; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: 6px; background: transparent }
button, .next { display: inline-block; font: inherit; font-weight: 500; padding: .4rem 1rem; border: 0; border-radius: 6px; cursor: pointer; text-decoration: none; color: light-dark(#ffffff, #062227); background: var(--accent) }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px } code { user-select: all }
.key { font-size: 1.1rem } li { margin: .4rem 0 }`;

/** Returns a small page without external resources; `content` is HTML. */
export function htmlPage(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;
}

/**
 * The policy that stops a browser from reporting requests to the server elsewhere (Network Error Logging section 4.1):
 * an app at the server's origin may have set one that does.
 */
export const noErrorLogging = '{"max_age":0}';

/** The header fields of every page. */
export const pageHeaders = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // With "no-referrer" browsers send forms with the origin "null", which counts as another site.
  "Referrer-Policy": "same-origin",
};

export function sendPage(reply: FastifyReply, status: number, html: string): FastifyReply {
  return reply
    .code(status)
    .headers(pageHeaders)
    .type("text/html; charset=utf-8")
    .serializer(String)
    .send(html);
}
