/**
 * Removes the marks of Markdown from a description, for clients that show it as it is. Links keep their address, and text
 * that only looks like a mark, such as `snake_case` or `2 * 3`, stays.
 */
export function plainText(markdown: string): string {
  return markdown
    .split("`")
    .map((part, index) => (index % 2 === 0 ? withoutMarks(part) : part))
    .join("")
    .trim();
}

function withoutMarks(text: string): string {
  return text
    .replaceAll(/^(?:#{1,6}|>)[ \t]+/gm, "")
    .replaceAll(/!?\[([^\]\n]{0,500})\]\(([^()\s]{0,2000})\)/g, "$1 $2")
    .replaceAll(/(?<![\w*])(\*{1,3})(?=[^\s*])([^*\n]{0,1000})(?<=[^\s*])\1(?![\w*])/g, "$2")
    .replaceAll(/(?<!\w)(_{1,3})(?=[^\s_])([^\n]{0,1000}?)(?<=[^\s_])\1(?!\w)/g, "$2")
    .replaceAll(/~~([^~\n]{1,1000})~~/g, "$1");
}
