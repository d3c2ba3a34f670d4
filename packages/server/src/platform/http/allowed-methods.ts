/** The methods of a server's paths, so that a wrong method can be told from a wrong path. */
export class AllowedMethods {
  readonly #routes: { readonly method: string; readonly segments: readonly string[] }[] = [];

  /** Adds a route; `url` names parameters as `:name`. */
  add(method: string, url: string): void {
    this.#routes.push({ method, segments: segmentsOf(url) });
  }

  /** Returns the methods of all routes that match a path, sorted. */
  of(path: string): readonly string[] {
    const asked = segmentsOf(path);
    const matching = this.#routes.filter(
      ({ segments }) =>
        segments.length === asked.length &&
        segments.every((segment, index) => segment.startsWith(":") || segment === asked[index]),
    );
    return [...new Set(matching.map(({ method }) => method))].toSorted();
  }
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").filter((segment) => segment !== "");
}
