/** A small bug, as an edit of one file, and the tests that must find it. */
export interface Mutant {
  readonly name: string;
  /** The violated property, in one line. */
  readonly breaks: string;
  /** The path from the root of the repository. */
  readonly file: string;
  /** The text to replace; it occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly suite: Suite;
}

/** Test files that run together, within the time limit of one mutant. */
export interface Suite {
  /** The project of `vitest.config.ts`. */
  readonly project: "unit" | "db" | "long";
  readonly files: readonly [string, ...string[]];
}

/** The error of a mutant that no longer fits the code. */
export class MutantError extends Error {
  override readonly name = "MutantError";
  readonly code = "mutant-does-not-fit";
}

/** Returns the file's text with the bug in it; throws `MutantError` unless the text to replace occurs exactly once. */
export function plant({ name, file, find, replace }: Mutant, text: string): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = text.split(find).length - 1;
    throw new MutantError(`mutant ${name}: its text occurs ${times} times in ${file}, wanted once`);
  }
  return before + replace + after;
}

/** Returns the suite of test files, which all belong to the project of the first. */
export function suiteOf(files: Suite["files"]): Suite {
  return { project: projectOf(files[0]), files };
}

/** Returns the project of `vitest.config.ts` that runs a test file. */
export function projectOf(file: string): Suite["project"] {
  if (file.includes("/tests/long/")) return "long";
  return file.includes("/tests/") ? "db" : "unit";
}

/** Returns a key that is equal for suites that run the same tests. */
export function suiteKey({ project, files }: Suite): string {
  return [project, ...files].join(" ");
}
