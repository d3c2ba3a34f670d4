/** A Kubernetes cluster of one node for tests, with its pods. */
export { buildAgentImage } from "./clusters/agent-image.ts";
export { buildClusterPrograms } from "./clusters/cluster-programs.ts";
export { buildHelm } from "./clusters/helm-program.ts";
export { packImage } from "./clusters/image-archive.ts";
export { openServiceProxy } from "./clusters/service-proxy.ts";
export { openCluster, type TestCluster } from "./clusters/open-cluster.ts";
