import { ApiError } from "./errors.ts";
import type { ApiRoute } from "./route.ts";

interface MatchedRoute {
  readonly route: ApiRoute;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

interface CompiledRoute {
  readonly route: ApiRoute;
  readonly segments: readonly string[];
}

/** Finds the routes of requests. */
export class Router {
  /** By the number of their segments. */
  readonly #routes: ReadonlyMap<number, readonly CompiledRoute[]>;

  constructor(routes: readonly ApiRoute[]) {
    const compiled = routes.map((route) => ({ route, segments: route.path.split("/") }));
    this.#routes = Map.groupBy(compiled, ({ segments }) => segments.length);
  }

  /** Returns the first route of a method and a target. Throws `ApiError` if there is none. */
  find(method: string, target: string): MatchedRoute {
    const url = URL.parse(`http://agent${target}`);
    if (url === null) throw new ApiError(400, "The path of the request cannot be read.");
    const segments = url.pathname.split("/");
    const found = this.#routes
      .get(segments.length)
      ?.find((one) => methodOf(one.route) === method && isMatch(one.segments, segments));
    if (found === undefined) throw new ApiError(404, "There is no such route.");
    return {
      route: found.route,
      params: paramsOf(found.segments, segments),
      query: url.searchParams,
    };
  }

  /** Returns whether a request may become a WebSocket. */
  isSocket(target: string): boolean {
    try {
      return this.find("GET", target).route.kind === "socket";
    } catch {
      // It gets the answer of a plain request.
      return false;
    }
  }
}

function methodOf(route: ApiRoute): string {
  return route.kind === "socket" ? "GET" : route.method;
}

function isMatch(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.every((part, index) =>
    part.startsWith(":") ? segments[index] !== "" : part === segments[index],
  );
}

function paramsOf(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> {
  const params = pattern.flatMap((part, index) =>
    part.startsWith(":") ? [[part.slice(1), decode(segments[index] ?? "")]] : [],
  );
  return Object.fromEntries(params);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new ApiError(400, "The path of the request cannot be read.", { cause });
  }
}
