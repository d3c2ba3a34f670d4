/** The part of a file that a request asks for. */
export type RequestedPart =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  /** No byte of the file is in the range. */
  | { readonly kind: "outside" };

/**
 * Reads the header `Range` (RFC 9110, section 14). One range of bytes is served; anything else gets the whole file, as the
 * standard allows.
 */
export function readRange(header: string | undefined, bytes: number): RequestedPart {
  const [, start = "", end = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (start === "" && end === "") return { kind: "whole" };
  const isSuffix = start === "";
  const first = isSuffix ? Math.max(0, bytes - Number(end)) : Number(start);
  const last = isSuffix || end === "" ? bytes - 1 : Math.min(Number(end), bytes - 1);
  // A range that ends before it begins is none.
  if (!isSuffix && end !== "" && Number(end) < first) return { kind: "whole" };
  return first > last ? { kind: "outside" } : { kind: "part", first, last };
}
