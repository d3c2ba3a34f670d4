import { readdir, readFile } from "node:fs/promises";

import type { FastifyInstance } from "fastify";

import type { KeyHolders } from "../../platform/auth/service.ts";
import { cloneDirectory } from "../../platform/clone-directory.ts";
import { escapeHtml, htmlPage, sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { needsHttps } from "../../platform/http/same-origin.ts";
import { findToken } from "../../platform/http/token.ts";
import { readOnce } from "../../platform/read-once.ts";
import type { RenderedGuide } from "./render-guide.ts";

export const documentationPath = "/docs";

const directory = new URL("docs/", cloneDirectory);
const ending = ".md";

interface DocumentationNeeds {
  readonly limits: RequestLimits;
  readonly holders: Pick<KeyHolders, "ofToken">;
  readonly accessUrl: () => string;
}

/**
 * Serves the guides of this release to users, so that they are available without the internet. Stock clients invent paths
 * below the documentation's address; unknown ones show the list.
 */
export function addDocumentation(
  app: FastifyInstance,
  { limits, holders, accessUrl }: DocumentationNeeds,
): void {
  const guides = new Guides();
  for (const path of [documentationPath, `${documentationPath}/*`]) {
    app.get<{ Params: { readonly "*"?: string } }>(path, async (request, reply) => {
      limits.countPage(documentationPath, request, reply);
      reply.headers({ "Cache-Control": "private, no-cache", Vary: "Cookie" });
      const token = findToken(request, needsHttps(request, accessUrl()))?.token ?? "";
      if (token === "" || (await holders.ofToken(token)) === undefined) {
        const back = new URLSearchParams({
          redirect: new URL(request.url, "http://server").pathname,
        });
        return reply.redirect(`/login?${back.toString()}`, 303);
      }
      return sendPage(reply, 200, await guides.page(request.params["*"] ?? ""));
    });
  }
}

/** The pages of the guides, each rendered once: the files of a release do not change. */
class Guides {
  readonly #names = readOnce(readNames);
  readonly #pages = new Map<string, () => Promise<string>>();

  /** Returns the page of a path below the documentation's; the list for an unknown one. */
  async page(path: string): Promise<string> {
    const names = await this.#names();
    const name = path.endsWith(ending) ? path.slice(0, -ending.length) : path;
    // Unknown paths share one page.
    const key = names.includes(name) ? name : "";
    const read =
      this.#pages.get(key) ??
      readOnce(() => (key === "" ? listPage(names) : guidePage(key, names)));
    this.#pages.set(key, read);
    return read();
  }
}

/** Returns the names of the guides without their ending. */
async function readNames(): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .toSorted();
}

async function readGuide(name: string, names: readonly string[]): Promise<RenderedGuide> {
  const markdown = await readFile(new URL(`${name}${ending}`, directory), "utf8");
  // Loaded for the first reader.
  const { renderGuide } = await import("./render-guide.ts");
  return renderGuide(markdown, (file) => {
    const target = file.endsWith(ending) ? file.slice(0, -ending.length) : file;
    return names.includes(target) ? `${documentationPath}/${target}` : undefined;
  });
}

const wide =
  "<style>body { max-width: 60rem } table { border-collapse: collapse; font-size: .9em } td, th { border: 1px solid #8888; padding: .2rem .5rem; text-align: left; vertical-align: top } pre { overflow-x: auto; padding: .6rem; background: #8882 }</style>";

async function guidePage(name: string, names: readonly string[]): Promise<string> {
  const { title, html } = await readGuide(name, names);
  const nav = `<nav aria-label="Documentation"><p><a href="${documentationPath}">Documentation</a></p></nav>`;
  return htmlPage(`${title} · Slipway`, `${wide}\n${nav}\n${html}`);
}

async function listPage(names: readonly string[]): Promise<string> {
  const items = names.map((name) => {
    const title = escapeHtml(name.replaceAll("-", " "));
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
