/** A Kubernetes cluster of one node for tests, with its pods. */
export { buildAgentImage } from "./clusters/agent-image.ts";
export { buildClusterPrograms } from "./clusters/cluster-programs.ts";
export { openCluster, type TestCluster } from "./clusters/open-cluster.ts";
