import { isIP } from "node:net";

import { stringifySetCookie } from "cookie";

/**
 * The prefix of cookies that only their own host sets, over https and for all its paths
 * (RFC 6265bis section 4.1.3.2).
 */
const hostPrefix = "__Host-";

/**
 * Returns the name of a cookie for all paths of a host. Over https, browsers let no page of another host set it, such
 * as that of an app at a sibling of the server's name.
 */
export function hostCookieName(name: string, isHttps: boolean): string {
  return isHttps ? `${hostPrefix}${name}` : name;
}

/** Returns a cookie's values that are not empty, in the order of the header. */
export function cookieValues(header: string | undefined, name: string): readonly string[] {
  return cookiePairs(header)
    .filter((pair) => cookieName(pair) === name)
    .map((pair) => pair.slice(pair.indexOf("=") + 1).trim())
    .filter((value) => value !== "");
}

/** Returns the cookies of a header, each with its name and its value. */
export function cookiePairs(header: string | undefined): readonly string[] {
  return header === undefined ? [] : header.split(";");
}

/** Returns the name of a cookie of a header. */
export function cookieName(pair: string): string {
  return (pair.split("=", 1)[0] ?? "").trim();
}

/** The maximum number of cookies that an answer deletes: proxies refuse a longer header. */
const maxDeleted = 24;

/**
 * Returns cookies that delete those of a name, wherever the page of another host may have set them for a request: for
 * our host or a domain above it, and for any path above the request's.
 */
export function deletedCookies(
  names: readonly string[],
  { host, url }: { readonly host: string; readonly url: string },
): readonly string[] {
  const domains = [undefined, ...domainsAbove(host)];
  const cookies = pathsAbove(url).flatMap((path) =>
    domains.flatMap((domain) =>
      names.map((name) =>
        stringifySetCookie({
          name,
          value: "",
          path,
          ...(domain === undefined ? {} : { domain }),
          maxAge: 0,
          // Browsers reject a name with this prefix otherwise.
          secure: name.startsWith(hostPrefix),
        }),
      ),
    ),
  );
  return [...new Set(cookies)].slice(0, maxDeleted);
}

/** Returns a host and the domains above it for which browsers accept cookies of its pages; none for an address. */
function domainsAbove(host: string): readonly string[] {
  const name = host.replace(/:\d*$/, "").toLowerCase();
  if (isIP(name.replace(/^\[|\]$/g, "")) !== 0) return [];
  const labels = name.split(".");
  return labels
    .slice(0, Math.max(labels.length - 1, 1))
    .map((_label, index) => labels.slice(index).join("."))
    .filter((domain) => /^[\w.-]+$/.test(domain));
}

/** Returns the paths whose cookies browsers send with a request. */
function pathsAbove(url: string): readonly string[] {
  const segments = (url.split("?", 1)[0] ?? "").split("/").filter(Boolean);
  const paths = segments.map((_segment, index) => `/${segments.slice(0, index + 1).join("/")}`);
  return ["/", ...paths.flatMap((path) => [path, `${path}/`])].filter((path) =>
    /^[\x21-\x3a\x3c-\x7e]+$/.test(path),
  );
}
