import { readdir, readFile } from "node:fs/promises";

import type { FastifyInstance } from "fastify";

import { cloneDirectory } from "../../platform/clone-directory.ts";
import { escapeHtml, htmlPage, sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";

export const documentationPath = "/docs";

const directory = new URL("docs/", cloneDirectory);
const ending = ".md";

/**
 * Serves the documentation of this release, so that it is available without the internet. Stock clients invent paths
 * below the documentation's address; unknown ones show the list.
 */
export function addDocumentation(app: FastifyInstance, limits: RequestLimits): void {
  for (const path of [documentationPath, `${documentationPath}/*`]) {
    app.get<{ Params: { readonly "*"?: string } }>(path, async (request, reply) => {
      limits.countPage(documentationPath, request, reply);
      const names = await readNames();
      const asked = names.find((name) => name === request.params["*"]);
      if (asked === undefined) return sendPage(reply, 200, listPage(names));
      return reply
        .header("Content-Security-Policy", "default-src 'none'")
        .type("text/plain; charset=utf-8")
        .serializer(String)
        .send(await readFile(new URL(asked, directory), "utf8"));
    });
  }
}

async function readNames(): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(ending)).toSorted();
}

function listPage(names: readonly string[]): string {
  const items = names.map((name) => {
    const title = escapeHtml(name.slice(0, -ending.length).replaceAll("-", " "));
    return `<li><a href="${documentationPath}/${escapeHtml(name)}">${title}</a></li>`;
  });
  return htmlPage(
    "Slipway documentation",
    `<h1>Documentation</h1>
<nav aria-label="Documentation">
<ul>
${items.join("\n")}
</ul>
</nav>
<p><a href="/">Slipway</a></p>`,
  );
}
