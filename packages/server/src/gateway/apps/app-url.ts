/** The server of an app in its workspace, reached by its port on the loopback interface there. */
export interface AppUrl {
  readonly protocol: "http" | "https";
  readonly port: number;
  /** The path that stands for `/`, without a slash at the end. */
  readonly path: string;
  /** The query of requests for `/` without one, with its `?`; empty if there is none. */
  readonly query: string;
}

/** The ports below it are the agent's own (docs/protocol/rest.md §5). */
export const minAppPort = 9;

/** Parses the URL of an app; undefined if the server cannot request it. */
export function parseAppUrl(text: string): AppUrl | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return undefined;
  const isSecure = url.protocol === "https:";
  if (!isSecure && url.protocol !== "http:") return undefined;
  const protocol = isSecure ? "https" : "http";
  const usualPort = isSecure ? 443 : 80;
  return {
    protocol,
    port: url.port === "" ? usualPort : Number(url.port),
    path: url.pathname.replace(/\/+$/, ""),
    query: url.search,
  };
}
