import { Marked, type RendererObject, type Tokens } from "marked";

import { escapeHtml } from "../../platform/http/html-page.ts";

/** A guide as a page shows it. */
export interface RenderedGuide {
  /** The text of its first heading. */
  readonly title: string;
  readonly html: string;
}

/** Returns the address of a link to another file; undefined for one that is not served, which is shown as text. */
type ResolveLink = (file: string) => string | undefined;

/** Renders the Markdown of a guide without its raw HTML, and with the anchors that GitHub gives to headings. */
export function renderGuide(markdown: string, resolveLink: ResolveLink): RenderedGuide {
  const headings: string[] = [];
  const slugs = new Map<string, number>();
  const renderer: RendererObject = {
    html: ({ text }) => escapeHtml(text),
    image: ({ text }) => escapeHtml(text),
    heading({ tokens, depth }) {
      const content = this.parser.parseInline(tokens);
      headings.push(plainText(tokens));
      return `<h${depth} id="${escapeHtml(uniqueSlug(plainText(tokens), slugs))}">${content}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      const content = this.parser.parseInline(tokens);
      const target = addressOf(href, resolveLink);
      return target === undefined ? content : `<a href="${escapeHtml(target)}">${content}</a>`;
    },
  };
  const html = new Marked({ gfm: true, async: false, renderer }).parse(markdown, { async: false });
  return { title: headings[0] ?? "", html };
}

/** Returns the anchor of a heading, as GitHub makes it. */
function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-");
}

function uniqueSlug(heading: string, seen: Map<string, number>): string {
  const slug = slugOf(heading);
  const count = seen.get(slug) ?? 0;
  seen.set(slug, count + 1);
  return count === 0 ? slug : `${slug}-${count}`;
}

function plainText(tokens: readonly Tokens.Generic[]): string {
  return tokens
    .map((token) =>
      token.tokens === undefined ? String(token["text"] ?? "") : plainText(token.tokens),
    )
    .join("");
}

function addressOf(href: string, resolveLink: ResolveLink): string | undefined {
  if (href.startsWith("#") || /^https?:\/\//i.test(href)) return href;
  const [file = "", anchor] = href.split("#");
  const target = resolveLink(file);
  if (target === undefined) return undefined;
  return anchor === undefined ? target : `${target}#${anchor}`;
}
