/* Opens a cluster, prints its kubeconfig and the address of this machine in it, and waits until it is killed. */
import { openCluster } from "../../../src/clusters.ts";

const { kubeconfig, hostAddress } = await openCluster();
process.stdout.write(`${JSON.stringify({ kubeconfig, hostAddress })}\n`);
setInterval(() => undefined, 60_000);
