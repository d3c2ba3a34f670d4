/** A URL that may be opened: a page in a browser, or something in an editor. One from an answer is read by `readOpenableUrl`. */
export interface OpenableUrl {
  readonly kind: "page" | "editor";
  /** The URL as it was parsed: without control characters and spaces. */
  readonly href: string;
}

/** The schemes of editors that open workspaces. */
const editorSchemes: ReadonlySet<string> = new Set([
  "antigravity:",
  "cursor:",
  "jetbrains:",
  "jetbrains-gateway:",
  "kiro:",
  "positron:",
  "vscode:",
  "vscode-insiders:",
  "vscodium:",
  "windsurf:",
  "zed:",
]);

const maxUrlLength = 16_384;

/**
 * Reads a URL that came from a template or a workspace; undefined for one that is not opened. Any other scheme may run a
 * program, and a text that is no URL may be taken for a file or a flag.
 */
export function readOpenableUrl(text: string): OpenableUrl | undefined {
  const url = text.length > maxUrlLength ? null : URL.parse(text);
  if (url === null) return undefined;
  const { protocol, href, hostname } = url;
  // Editors ignore a host that browsers need; without one, a browser takes the path for a file.
  if (protocol === "http:" || protocol === "https:") {
    return hostname === "" ? undefined : { kind: "page", href };
  }
  if (!editorSchemes.has(protocol) || !href.startsWith(`${protocol}//`)) return undefined;
  return isVisible(href) ? { kind: "editor", href } : undefined;
}

/** Returns whether a text has printable ASCII characters only, without spaces and quotes. */
function isVisible(text: string): boolean {
  return /^[!#-&(-_a-~]+$/.test(text);
}
