/**
 * Returns what Enter inserts after a text of YAML: a line break with the indentation of its last line, and one step more
 * after a colon that begins a block.
 */
export function indentLine(before: string): string {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const indentation = /^ */.exec(line)?.[0] ?? "";
  const opensBlock = /:\s*(?:[|>][+-]?)?$/.test(line);
  return `\n${indentation}${opensBlock ? "  " : ""}`;
}
