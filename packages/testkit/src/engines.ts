/** Container engines of tests: Docker and podman, with their own directories and networks. */
export { packBox } from "./engines/box-image.ts";
export { packMachine } from "./engines/machine-image.ts";
export { openDocker } from "./engines/open-docker.ts";
export { openPodman, openRootlessPodman } from "./engines/open-podman.ts";
export { buildArchive, ownArch } from "./engines/test-archive.ts";
export type { TestEngine } from "./engines/test-engine.ts";
export { openRegistry } from "./engines/image-registry.ts";
