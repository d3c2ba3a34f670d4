/** The part of a workspace that is opened: an app by its slug, or a port of an agent. */
export type AppTarget =
  | { readonly type: "app"; readonly slug: string }
  | {
      readonly type: "port";
      readonly port: number;
      readonly protocol: "http" | "https";
      /** An app of the agent with this slug takes precedence over the port. */
      readonly slug: string;
    };

/** The address of an app in a URL (docs/protocol/rest.md §5), in lower case. */
export interface AppAddress {
  readonly access: "path" | "subdomain";
  readonly username: string;
  readonly workspace: string;
  readonly agent: string | undefined;
  readonly target: AppTarget;
}

/** A request for an app by its path. */
export interface PathAppRequest {
  readonly address: AppAddress;
  /** The path of the app as the browser spells it, without a slash at the end. */
  readonly basePath: string;
  /** The rest of the path, and the query: empty, or beginning with `/` or `?`. */
  readonly rest: string;
}

/** The maximum length of a segment; all our names are shorter. */
const maxSegmentLength = 200;
const nameForm = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const portForm = /^(?<port>\d{4,5})(?<secure>s?)$/;
const prefixSeparator = "---";
const separator = "--";
const maxPort = 65_535;

/** Returns whether a path is that of an app rather than of the API or of a page. */
export function isAppPath(path: string): boolean {
  return /^\/(?:@|%40)[^/?#]*\/[^/?#]*\/apps(?:[/?#]|$)/.test(path);
}

/**
 * Parses the path and the query of a request: `/@{user}/{workspace}[.{agent}]/apps/{slug}/…`; undefined for others. The
 * path is not normalized: an app gets what the browser sent.
 */
export function parseAppPath(url: string): PathAppRequest | undefined {
  const form = /^(?<base>\/(?:@|%40)([^/?#]+)\/([^/?#]+)\/apps\/([^/?#]+))(?<rest>[/?].*)?$/s.exec(
    url,
  );
  if (form === null) return undefined;
  const [username, place, slug] = [form[2], form[3], form[4]].map(readSegment);
  if (username === undefined || place === undefined || slug === undefined) return undefined;
  const [workspace = "", agent, ...others] = place.split(".");
  // `me` differs from user to user, and data stored for a URL must not.
  const isNamed = username !== "me" && others.length === 0;
  if (!isNamed || ![username, workspace, agent ?? "a", slug].every(isName)) return undefined;
  return {
    address: { access: "path", username, workspace, agent, target: { type: "app", slug } },
    basePath: form.groups?.["base"] ?? "",
    rest: form.groups?.["rest"] ?? "",
  };
}

/**
 * Parses the part of a host in the place of the wildcard:
 * `[{prefix}---]{slug|port[s]}[--{agent}]--{workspace}--{user}`; undefined if it is malformed. A port needs an agent.
 */
export function parseAppHost(part: string): AppAddress | undefined {
  const prefixEnd = part.lastIndexOf(prefixSeparator);
  const name = prefixEnd === -1 ? part : part.slice(prefixEnd + prefixSeparator.length);
  const names = name.toLowerCase().split(separator);
  if (names.length < 3 || names.length > 4 || !names.every(isName)) return undefined;
  const [slug = "", ...others] = names;
  const [username = "", workspace = "", agent] = others.toReversed();
  const target = readTarget(slug);
  if (target === undefined || (target.type === "port" && agent === undefined)) return undefined;
  return { access: "subdomain", username, workspace, agent, target };
}

/** Returns a text that differs for any two addresses. */
export function addressText({ access, username, workspace, agent, target }: AppAddress): string {
  return [access, username, workspace, agent ?? "", target.slug].join("/");
}

function readTarget(slug: string): AppTarget | undefined {
  const { port, secure } = portForm.exec(slug)?.groups ?? {};
  if (port === undefined) return { type: "app", slug };
  if (Number(port) > maxPort || Number(port) === 0) return undefined;
  return { type: "port", port: Number(port), protocol: secure === "s" ? "https" : "http", slug };
}

function readSegment(segment: string | undefined): string | undefined {
  if (segment === undefined || segment.length > maxSegmentLength) return undefined;
  try {
    return decodeURIComponent(segment).toLowerCase();
  } catch {
    // Not UTF-8, and so not a name.
    return undefined;
  }
}

function isName(name: string): boolean {
  return nameForm.test(name);
}
