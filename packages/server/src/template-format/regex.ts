import { createContext, Script } from "node:vm";

import { errorText } from "@slipway/runtime";

import { maxRegexLength } from "./limits.ts";

/** Says why a regular expression cannot be used in a template, or nothing. */
export function regexProblem(source: string): string | undefined {
  if (source.length > maxRegexLength)
    return `found ${source.length} characters, wanted at most ${maxRegexLength}`;
  const foreign = /\(\?<?[=!]|\\[1-9]|\\k</.exec(source.replaceAll("\\\\", ""))?.[0];
  // Stock clients check values themselves, with RE2.
  if (foreign !== undefined)
    return `found \`${foreign}\`, wanted no look-around and no back-references: clients do not know them`;
  try {
    compile(source);
    return undefined;
  } catch (error) {
    return `found a regular expression that does not compile: ${errorText(error)}`;
  }
}

/**
 * Whether the value has a match. A template's expression may be such that matching takes for ever; after 50 ms it
 * counts as no match, so that one template cannot stop the server.
 */
export function hasMatch(source: string, value: string): boolean {
  Object.assign(sandbox, { source, value });
  try {
    return matcher.runInContext(sandbox, { timeout: maxMatchMs }) === true;
  } catch {
    return false; // out of time, or an expression that regexProblem would have refused
  }
}

const maxMatchMs = 50;
const compile = (source: string): RegExp => new RegExp(source, "u");
// Only code in a context of its own can be given a time limit.
const sandbox = createContext({});
const matcher = new Script('new RegExp(source, "u").test(value)');
