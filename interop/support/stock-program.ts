import { basename, delimiter } from "node:path";

/** A program of Coder. */
export interface StockProgram {
  readonly path: string;
  /** The name of its file, which includes the release. */
  readonly name: string;
}

/** Lists the programs in an environment variable, separated by `:`. */
export function stockPrograms(variable: string): readonly StockProgram[] {
  const paths = (process.env[variable] ?? "").split(delimiter).filter((path) => path !== "");
  return paths.map((path) => ({ path, name: basename(path) }));
}
