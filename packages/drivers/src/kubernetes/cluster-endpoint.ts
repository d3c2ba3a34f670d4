/** A namespace of a Kubernetes cluster, and the credentials for it. */
export interface ClusterEndpoint {
  /** Such as `https://10.0.0.1:6443`, without a slash at its end. */
  readonly url: string;
  readonly namespace: string;
  /** In PEM; undefined to trust the authorities of Node.js. */
  readonly ca: string | undefined;
  /** The name in the API server's certificate; undefined for the host of the URL. */
  readonly serverName: string | undefined;
  /** In PEM; undefined for a client that authenticates by a token. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  /** Reads the current token, which the cluster may replace at any time; undefined without one. */
  readonly readToken: (() => Promise<string>) | undefined;
}
