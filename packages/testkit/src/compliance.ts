export { countHints } from "./compliance/count-hints.ts";
export { describeDriver } from "./compliance/driver.ts";
export type { DriverUnderTest } from "./compliance/driver.ts";
export { describePubSub } from "./compliance/pubsub.ts";
export type { PubSubUnderTest, ReplicaHints } from "./compliance/pubsub.ts";
export {
  plainDocker,
  sampleAgent,
  sampleBuild,
  sampleContainer,
  sampleWorkspaceId,
} from "./compliance/sample-build.ts";
export { describeSshServer } from "./compliance/ssh.ts";
export { askSocket, askThroughProxy } from "./compliance/ssh/editors.ts";
export {
  ask,
  askSoon,
  findFreePort,
  openEcho,
  openSocketPair,
} from "./compliance/ssh/local-peers.ts";
export {
  endOf,
  openSshAt,
  openSshOptions,
  type OpenSshServer,
  type ProgramEnd,
  type SshServerUnderTest,
  type StartOpenSsh,
} from "./compliance/ssh/subject.ts";
