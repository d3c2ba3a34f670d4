/** The server's manifest is not one that the agent can work with. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  readonly code = "bad-manifest";
}
