/**
 * Returns the address of a link that somebody else chose, if a page may link to it: one of the web, or a path of this
 * server. Others, such as `javascript:`, would act in the name of the user.
 */
export function webAddress(text: string, origin: string): string | undefined {
  const url = URL.parse(text, origin);
  if (url === null) return undefined;
  return url.protocol === "http:" || url.protocol === "https:" ? url.href : undefined;
}
