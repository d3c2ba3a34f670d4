import { TcpProxy } from "../servers/tcp-proxy.ts";
import type { TestCluster } from "./open-cluster.ts";

export interface ProxiedService {
  readonly namespace: string;
  readonly name: string;
  /** The port of its pods. */
  readonly port: number;
}

/**
 * Passes connections to the pods of a service that are ready, in turns, as kube-proxy would, at the address of this machine
 * that pods reach. The opener disposes of it.
 */
export async function openServiceProxy(
  cluster: Pick<TestCluster, "follow" | "hostAddress">,
  { namespace, name, port }: ProxiedService,
): Promise<AsyncDisposable & { readonly url: string }> {
  await using opening = new AsyncDisposableStack();
  let hosts: readonly string[] = [];
  let turn = 0;
  const label = `kubernetes.io/service-name=${name}`;
  const ready = "{{range .endpoints}}{{if .conditions.ready}}{{index .addresses 0}} {{end}}{{end}}";
  const args = ["get", "endpointslices", `-n${namespace}`, "-l", label, "--watch"];
  opening.use(
    cluster.follow([...args, "-o", `go-template=${ready}{{"\\n"}}`], (line) => {
      hosts = line.split(" ").filter((host) => host !== "");
    }),
  );
  const next = (): readonly { readonly host: string; readonly port: number }[] => {
    const host = hosts[turn++ % hosts.length];
    return host === undefined ? [] : [{ host, port }];
  };
  const proxy = opening.use(await TcpProxy.open(next, cluster.hostAddress));
  const opened = opening.move();
  return { url: proxy.url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
