import { basename, delimiter } from "node:path";

/** A program of the original. */
export interface StockProgram {
  readonly path: string;
  /** The name of its file, which includes the release. */
  readonly name: string;
}

/** Lists the programs that a variable of the environment names, with `:` between them. */
export function stockPrograms(variable: string): readonly StockProgram[] {
  const paths = (process.env[variable] ?? "").split(delimiter).filter((path) => path !== "");
  return paths.map((path) => ({ path, name: basename(path) }));
}
