/** The pattern of the hosts of subdomain apps, such as `*.apps.example.com` or `*-apps.example.com`. */
export interface WildcardAccessUrl {
  /** The part of the host after the `*`, in lower case: `.apps.example.com`. */
  readonly suffix: string;
  /** The port (default: that of the access URL). */
  readonly port: number | undefined;
}

const maxHostLength = 253;
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** The rest of the label of the `*`, one label at least, and a port. */
const form = new RegExp(
  `^\\*(?<suffix>(?:-${label})?(?:\\.${label})+)(?::(?<port>[1-9]\\d{0,4}))?$`,
);
const maxPort = 65_535;

/** Parses the pattern of the hosts of apps; undefined if it is malformed. */
export function parseWildcardAccessUrl(text: string): WildcardAccessUrl | undefined {
  const match = form.exec(text.trim().toLowerCase());
  const suffix = match?.groups?.["suffix"] ?? "";
  const port = match?.groups?.["port"];
  if (suffix === "" || suffix.length > maxHostLength || Number(port ?? 0) > maxPort) {
    return undefined;
  }
  return { suffix, port: port === undefined ? undefined : Number(port) };
}

/**
 * Returns the pattern as clients read it (docs/protocol/clients.md §1.11): with the port at which browsers reach apps,
 * unless it is the usual one of the access URL's scheme. Empty if there are no subdomain apps.
 */
export function wildcardHostname(
  wildcard: WildcardAccessUrl | undefined,
  accessUrl: string,
): string {
  if (wildcard === undefined) return "";
  const url = new URL(accessUrl);
  // A URL drops the usual port of its scheme.
  if (wildcard.port !== undefined) url.port = String(wildcard.port);
  return `*${wildcard.suffix}${url.port === "" ? "" : `:${url.port}`}`;
}

/**
 * Returns the part of a host in the place of the `*`, in lower case; undefined for hosts that do not match the
 * pattern. A port in the host is ignored.
 */
export function wildcardPart({ suffix }: WildcardAccessUrl, host: string): string | undefined {
  const name = host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
  if (!name.endsWith(suffix)) return undefined;
  const part = name.slice(0, -suffix.length);
  return part === "" || part.includes(".") ? undefined : part;
}
