/** Container engines of tests: Docker and podman, with directories and networks of their own. */
export { openDocker } from "./engines/open-docker.ts";
export { openPodman } from "./engines/open-podman.ts";
export { buildArchive, ownArch } from "./engines/test-archive.ts";
export type { TestEngine } from "./engines/test-engine.ts";
