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

const style = `:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; overflow-wrap: anywhere }
label { display: block; margin: 1rem 0 } input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem }
button { font: inherit; padding: .4rem 1rem } code { user-select: all }
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
