/** Which methods the paths of a server have, so that a wrong one can be told from a wrong path. */
export class AllowedMethods {
  readonly #routes: { readonly method: string; readonly segments: readonly string[] }[] = [];

  /** `url` names parameters as `:name`. */
  add(method: string, url: string): void {
    this.#routes.push({ method, segments: segmentsOf(url) });
  }

  /** The methods of whatever routes match a path, sorted. */
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
