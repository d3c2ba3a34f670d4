import type { MarkedToken } from "marked";
import { createContext, createElement, memo, type ReactNode, useContext, useMemo } from "react";

import { affordable, childrenOf, inlinesOf, parseMarkdown, unparsed } from "./markdown-tokens.ts";
import { untrustedLines } from "./untrusted-text.tsx";

/*
 * Markdown from other people. Its parser only splits it into tokens, which become elements here: no HTML is parsed.
 * Images and HTML are shown as text, and only links to http(s) addresses lead anywhere.
 */

interface MarkdownProps {
  readonly children: string;
}

/** Markdown with its paragraphs, lists and blocks of code. */
export function Markdown({ children }: MarkdownProps): ReactNode {
  return <Blocks isParsed={useIsAffordable(children)}>{children}</Blocks>;
}

/** Markdown within a label, which has no room for blocks: their contents follow each other. */
export function MarkdownLine({ children }: MarkdownProps): ReactNode {
  return <Line isParsed={useIsAffordable(children)}>{children}</Line>;
}

const AffordableTexts = createContext<ReadonlySet<string> | undefined>(undefined);

interface MarkdownBudgetProps {
  /** The texts of all Markdown below. */
  readonly texts: readonly string[];
  readonly children: ReactNode;
}

/** Bounds the time for many texts, which somebody else chose: those that exceed it are shown as they stand. */
export function MarkdownBudget({ texts, children }: MarkdownBudgetProps): ReactNode {
  const parsed = useMemo(() => affordable(texts), [texts]);
  return <AffordableTexts value={parsed}>{children}</AffordableTexts>;
}

function useIsAffordable(text: string): boolean {
  return useContext(AffordableTexts)?.has(text) ?? true;
}

interface ParsedProps extends MarkdownProps {
  readonly isParsed: boolean;
}

const Blocks = memo(({ children, isParsed }: ParsedProps): ReactNode =>
  element("div", "flex flex-col gap-2 wrap-anywhere", tokensOf(children, isParsed)),
);

const Line = memo(({ children, isParsed }: ParsedProps): ReactNode =>
  element("bdi", undefined, tokensOf(children, isParsed).flatMap(inlinesOf)),
);

function tokensOf(markdown: string, isParsed: boolean): readonly MarkedToken[] {
  const text = untrustedLines(markdown);
  return isParsed ? parseMarkdown(text) : unparsed(text);
}

function element(
  tag: string,
  className: string | undefined,
  tokens: readonly MarkedToken[],
  attributes: Readonly<Record<string, unknown>> = {},
): ReactNode {
  return createElement(tag, { className, ...attributes }, ...tokens.map(render));
}

function render(token: MarkedToken): ReactNode {
  const children = childrenOf(token);
  switch (token.type) {
    case "paragraph":
      return element("p", undefined, children);
    case "heading":
      // Not a heading of the page.
      return element("p", "font-semibold", children);
    case "blockquote":
      return element(
        "blockquote",
        "flex flex-col gap-2 border-l-2 border-line-strong pl-3",
        children,
      );
    case "list":
      return token.ordered
        ? element("ol", "list-decimal pl-6", children, { start: Number(token.start) })
        : element("ul", "list-disc pl-5", children);
    case "list_item":
      return element("li", "*:mt-1", children);
    case "code":
      return <Preformatted>{token.text}</Preformatted>;
    case "table":
      return <Preformatted>{token.raw.trimEnd()}</Preformatted>;
    case "hr":
      return <hr className="border-line" />;
    case "strong":
    case "em":
    case "del":
      return element(token.type, undefined, children);
    case "codespan":
      return <code className="rounded-sm bg-sunken px-1">{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return isOfTheWeb(token.href)
        ? element("a", "text-accent underline underline-offset-2", children, {
            href: token.href,
            target: "_blank",
            rel: "noreferrer",
          })
        : element("span", undefined, children);
    case "text":
      return children.length === 0 ? token.text : element("span", undefined, children);
    case "escape":
    case "image":
      return token.text;
    case "checkbox":
    case "html":
      return token.raw;
    case "space":
      return " ";
    case "def":
      return null;
  }
}

function Preformatted({ children }: MarkdownProps): ReactNode {
  return (
    <pre className="rounded-md bg-sunken px-3 py-2 font-mono text-sm whitespace-pre-wrap">
      {children}
    </pre>
  );
}

function isOfTheWeb(href: string): boolean {
  const protocol = URL.parse(href)?.protocol;
  return protocol === "http:" || protocol === "https:";
}
