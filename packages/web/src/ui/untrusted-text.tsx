import { printableLine, printableText } from "@slipway/runtime";
import type { ReactNode } from "react";

/**
 * A line that somebody else chose: a name, a title, a message. Its direction does not reach beyond it, and characters
 * that would rearrange or hide text are removed.
 */
export function UntrustedText({ children }: { readonly children: string }): ReactNode {
  return <bdi>{printableLine(children)}</bdi>;
}

/** Returns such a line for an attribute or a title. */
export function untrusted(text: string): string {
  return printableLine(text);
}

/** Returns text of several lines, such as output, without what would move a terminal or rearrange a page. */
export function untrustedLines(text: string): string {
  return printableText(text, { colors: false });
}
