/**
 * Translates command lines that programs inside workspaces have from `coder`: Git runs a bare program with its question
 * (docs/protocol/agent.md §9.1), and `exp` stands before commands that are ordinary ones here.
 */
export function workspaceWords(words: readonly string[]): readonly string[] {
  const [first = "", second = ""] = words;
  if (words.length === 1 && /^(?:Username|Password) for '/.test(first))
    return ["gitaskpass", first];
  return first === "exp" && second === "sync" ? words.slice(1) : words;
}
