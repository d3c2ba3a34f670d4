import { readdirSync, readFileSync } from "node:fs";

import { parse } from "yaml";

import { type Mutant, type Suite, suiteOf } from "./mutant.ts";

/** A suite and its mutants, as listed by a file in `sets`. */
interface SuiteMutants {
  readonly suite: Suite["files"];
  readonly mutants: Readonly<Record<string, Omit<Mutant, "name" | "suite">>>;
}

const directory = new URL("sets/", import.meta.url);

/** The mutants by the name of their file, which is the part of the product that they break. */
export const mutantSets: ReadonlyMap<string, readonly Mutant[]> = new Map(
  readdirSync(directory).map((file) => [file.replace(".yaml", ""), readSet(file)]),
);

function readSet(fileName: string): readonly Mutant[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test plants every mutant
  const groups = parse(
    readFileSync(new URL(fileName, directory), "utf8"),
  ) as readonly SuiteMutants[];
  return groups.flatMap(({ suite, mutants }) =>
    Object.entries(mutants).map(([name, { breaks, file, find, replace }]) => {
      return { name, breaks, file, find, replace, suite: suiteOf(suite) };
    }),
  );
}
