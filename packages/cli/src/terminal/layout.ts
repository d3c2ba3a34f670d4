import type { Colors } from "./colors.ts";

/** Colors and width for laying out text; an `Output` is one. */
export interface Layout {
  readonly colors: Colors;
  /** Width in characters; undefined where nothing is wrapped. */
  readonly columns: number | undefined;
}
