import { Lexer, type Node, parseDocument, type YAMLError } from "yaml";

import { maxYamlTokens } from "./limits.ts";
import { ProblemList, type TemplateProblem } from "./problem.ts";

/** A parsed YAML document that knows the line and column of each offset. */
export interface YamlSource {
  readonly text: string;
  readonly root: Node | null;
  /** Returns the target of an alias. Walks through the document, so the caller bounds the number of calls. */
  followAlias(alias: Node): Node | undefined;
  /** Returns the line and column of an offset, from 1. */
  position(offset: number): { readonly line: number; readonly column: number };
}

/** Parses one YAML 1.2 document, or reports all its syntax errors. Never throws. */
export function openYaml(text: string): YamlSource | readonly TemplateProblem[] {
  const problems = new ProblemList();
  const fail = (message: string): readonly TemplateProblem[] => {
    problems.add({ line: 1, column: 1, path: "", message });
    return problems.toArray();
  };
  if (!hasFewTokens(text)) return fail(`found more than ${maxYamlTokens} YAML tokens`);

  const position = positionsIn(text);
  // The library compares each key with all others of its map (16 s for 40,000 keys); the reader does that instead.
  const options = { prettyErrors: false, uniqueKeys: false, resolveKnownTags: false };
  let document;
  try {
    document = parseDocument(text, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return fail(tooDeep); // the parser ran out of stack
  }
  for (const error of [...document.errors, ...document.warnings]) {
    problems.add({ ...position(error.pos[0]), path: "", message: syntaxText(error) });
  }
  if (problems.count > 0) return problems.toArray();
  return {
    text,
    root: document.contents,
    followAlias: (alias) => ("resolve" in alias ? alias.resolve(document) : undefined),
    position,
  };
}

const tooDeep = "the file is nested too deeply";

/** Finds the line ends itself, because the library's LineCounter misses line ends inside broken texts. */
function positionsIn(text: string): YamlSource["position"] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    const within = Math.min(offset, text.length);
    const line = starts.findLastIndex((start) => start <= within);
    return { line: line + 1, column: within - (starts[line] ?? 0) + 1 };
  };
}

function hasFewTokens(text: string): boolean {
  let count = 0;
  for (const token of new Lexer().lex(text)) {
    count += token === "" ? 0 : 1;
    if (count > maxYamlTokens) return false;
  }
  return true;
}

function syntaxText(error: YAMLError): string {
  if (error.code === "MULTIPLE_DOCS") return "found a second YAML document, wanted one";
  if (error.code === "TAG_RESOLVE_FAILED") return "found a YAML tag: tags are not supported";
  if (error.message.includes("call stack")) return tooDeep; // where the parser itself caught it
  return `invalid YAML: ${error.message}`;
}
