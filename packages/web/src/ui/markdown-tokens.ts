import { Lexer, type MarkedToken, type Token } from "marked";

/** The longest text that is parsed, in characters: the time of the parser grows with its square. */
const maxParsedChars = 16 * 1024;
/** The most delimiters of emphasis in it: the parser compares each with every other. */
const maxDelimiters = 1_000;
/** The deepest nesting of tokens that is rendered; browsers give up on pages that are nested very deeply. */
const maxDepth = 32;

/** Splits a text into tokens; one that is not parsed, or nested too deeply, is a single block of code. */
export function parseMarkdown(text: string): readonly MarkedToken[] {
  if (isCostly(text)) return unparsed(text);
  try {
    const tokens = known(new Lexer({ gfm: true }).lex(text));
    return isShallow(tokens, maxDepth) ? tokens : unparsed(text);
  } catch {
    // Nested deeper than the parser's stack.
    return unparsed(text);
  }
}

/** Returns a text as a single block of code. */
export function unparsed(text: string): readonly MarkedToken[] {
  return [{ type: "code", raw: text, text }];
}

function isCostly(text: string): boolean {
  return text.length > maxParsedChars || delimitersOf(text) > maxDelimiters;
}

function delimitersOf(text: string): number {
  return text.match(/[*_~]/gu)?.length ?? 0;
}

/** Returns those of many texts that are parsed: together they take no longer than the costliest one may. */
export function affordable(texts: readonly string[]): ReadonlySet<string> {
  const chosen = new Set<string>();
  let left = costOf(maxParsedChars, maxDelimiters);
  for (const text of new Set(texts)) {
    const cost = costOf(text.length, delimitersOf(text));
    if (cost > left) continue;
    left -= cost;
    chosen.add(text);
  }
  return chosen;
}

/** Estimates the time of the parser, in units of about a nanosecond. */
function costOf(chars: number, delimiters: number): number {
  return chars ** 2 + (10 * delimiters) ** 2;
}

/** The tokens of the parser itself; only extensions of it make others. */
const kinds: Readonly<Record<MarkedToken["type"], true>> = {
  blockquote: true,
  br: true,
  checkbox: true,
  code: true,
  codespan: true,
  def: true,
  del: true,
  em: true,
  escape: true,
  heading: true,
  hr: true,
  html: true,
  image: true,
  link: true,
  list: true,
  list_item: true,
  paragraph: true,
  space: true,
  strong: true,
  table: true,
  text: true,
};

function isKnown(token: Token): token is MarkedToken {
  return Object.hasOwn(kinds, token.type);
}

function known(tokens: readonly Token[] = []): readonly MarkedToken[] {
  return tokens.filter(isKnown);
}

function isShallow(tokens: readonly MarkedToken[], depth: number): boolean {
  return depth > 0 && tokens.every((token) => isShallow(childrenOf(token), depth - 1));
}

/** Returns the tokens within a token. */
export function childrenOf(token: MarkedToken): readonly MarkedToken[] {
  if (token.type === "list") return token.items;
  return "tokens" in token ? known(token.tokens) : [];
}

const containers: ReadonlySet<string> = new Set([
  "blockquote",
  "heading",
  "list",
  "list_item",
  "paragraph",
]);
const verbatim: ReadonlySet<string> = new Set(["code", "hr", "table"]);

/** Returns the tokens of a line that has the contents of a block. */
export function inlinesOf(token: MarkedToken): readonly MarkedToken[] {
  if (containers.has(token.type)) {
    return [...childrenOf(token).flatMap(inlinesOf), { type: "space", raw: " " }];
  }
  const { raw } = token;
  return verbatim.has(token.type) ? [{ type: "text", raw, text: raw }] : [token];
}
