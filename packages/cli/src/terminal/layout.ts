import type { Colors } from "./colors.ts";

/** How text is laid out: an `Output` is one. */
export interface Layout {
  readonly colors: Colors;
  /** Width in characters; undefined where nothing is wrapped. */
  readonly columns: number | undefined;
}
