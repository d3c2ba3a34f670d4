import { RE2JS, RE2JSSyntaxException } from "re2js";

import { maxRegexLength, maxRegexSize, maxRegexSteps } from "./limits.ts";
import { truncate } from "./quote.ts";
import { estimateRegexSize } from "./regex-size.ts";

/*
 * Regular expressions of templates are RE2's, because stock clients, written in Go, also check values with them. RE2
 * takes time proportional to the size of the compiled expression times the length of the value, whatever they are;
 * both are bounded, and so is their product over all values of a request.
 */

/** Explains why a regular expression cannot be used in a template; undefined if it can. */
export function regexProblem(source: string): string | undefined {
  const compiled = compile(source);
  return "problem" in compiled ? compiled.problem : undefined;
}

/** Returns the size of a regular expression in instructions; 0 for one that cannot be used. */
export function regexSize(source: string): number {
  const compiled = compile(source);
  return "problem" in compiled ? 0 : compiled.size;
}

export type MatchResult = "match" | "no-match" | { readonly problem: string };

/** A matcher with a budget of steps, shared by all values of a request. */
export class RegexMatcher {
  readonly #maxSteps: number;
  #stepsLeft: number;

  constructor(maxSteps: number = maxRegexSteps) {
    this.#maxSteps = maxSteps;
    this.#stepsLeft = maxSteps;
  }

  /** Reports whether any part of the value matches. A problem is a fault of the expression or a lack of steps. */
  match(source: string, value: string): MatchResult {
    const compiled = compile(source);
    if ("problem" in compiled) {
      return {
        problem: `cannot be checked: the template's regular expression ${truncate(source)} is invalid, ${compiled.problem}; push a new version of the template`,
      };
    }
    const { pattern, size } = compiled;
    const steps = size * (value.length + 1);
    const longest = Math.floor(this.#maxSteps / size) - 1;
    if (value.length > longest) {
      return {
        problem: `found ${value.length} characters, wanted at most ${longest}, the maximum for matching ${truncate(source)}`,
      };
    }
    if (steps > this.#stepsLeft) {
      return {
        problem: `cannot be checked: all values together are too long for the template's regular expressions`,
      };
    }
    this.#stepsLeft -= steps;
    // Unlike `test`, this keeps no automaton that grows with the matched text.
    return pattern.matcher(value).find() ? "match" : "no-match";
  }
}

type CompiledRegex =
  | { readonly pattern: RE2JS; readonly size: number }
  | { readonly problem: string };

/**
 * Compiled expressions, the most recently used last. Compiling takes about 100 times as long as matching a short
 * value.
 */
const cache = new Map<string, CompiledRegex>();
let cachedSize = 0;
const maxCached = 1_000;
/** The maximum total size of the cached expressions, in instructions of about 0.3 KiB each. */
const maxCachedSize = 50_000;

function compile(source: string): CompiledRegex {
  const known = cache.get(source);
  if (known !== undefined) {
    cache.delete(source);
    cache.set(source, known);
    return known;
  }
  const compiled = compileNew(source);
  // Long texts are not cached.
  if (source.length > maxRegexLength) return compiled;
  cache.set(source, compiled);
  cachedSize += sizeOf(compiled);
  for (const [oldest, one] of cache) {
    if (cache.size <= maxCached && cachedSize <= maxCachedSize) break;
    cache.delete(oldest);
    cachedSize -= sizeOf(one);
  }
  return compiled;
}

function sizeOf(compiled: CompiledRegex): number {
  return "problem" in compiled ? 1 : compiled.size;
}

function compileNew(source: string): CompiledRegex {
  if (source.length > maxRegexLength)
    return { problem: `found ${source.length} characters, wanted at most ${maxRegexLength}` };
  // Checks before compiling, which takes long with many repetitions.
  const estimate = estimateRegexSize(source);
  if (estimate > maxRegexSize) return { problem: tooLarge(estimate) };
  try {
    const pattern = RE2JS.compile(source);
    const size = pattern.programSize();
    return size > maxRegexSize ? { problem: tooLarge(size) } : { pattern, size };
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    return { problem: syntaxProblem(error) };
  }
}

function tooLarge(size: number): string {
  return `found a regular expression of ${size} instructions, wanted at most ${maxRegexSize}: counted repetitions multiply`;
}

function syntaxProblem(error: RE2JSSyntaxException): string {
  const fragment = error.getPattern() ?? "";
  if (/^\(\?<?[=!]/.test(fragment))
    return `found \`${fragment.slice(0, 4)}\`, wanted no look-around: RE2, which checks values, does not support it`;
  if (/^\\[1-9k]/.test(fragment))
    return `found \`${fragment}\`, wanted no back-reference: RE2, which checks values, does not support it`;
  const where = fragment === "" ? "" : `: \`${truncate(fragment)}\``;
  return `found a regular expression that does not compile with RE2: ${error.getDescription()}${where}`;
}
