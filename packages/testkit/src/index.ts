export { agentsOf, bringToLife, connect, report, type StageAgent } from "./claim-stage/agents.ts";
export { acquire } from "./claim-stage/acquire.ts";
export { handsOverByJob, ManualDriver } from "./claim-stage/manual-driver.ts";
export { fillPool } from "./claim-stage/pool.ts";
export { ClaimStage, type StageWorkspace } from "./claim-stage/stage.ts";
export type { Work } from "./claim-stage/work.ts";
export { freshName } from "./fresh-name.ts";
export { createFakeClock } from "./clock/fake-clock.ts";
export type { FakeClock } from "./clock/fake-clock.ts";
export {
  fillFleet,
  fleetAgentToken,
  fleetId,
  fleetSessionToken,
  fleetTables,
  workspacesPerUser,
} from "./database/fill-fleet.ts";
export type { FleetPlace } from "./database/fill-fleet.ts";
export { postgresTarget, postgresUrlAt, socketUrl } from "./database/postgres-url.ts";
export { openTestDatabase } from "./database/test-database.ts";
export type { TestDatabase } from "./database/test-database.ts";
export {
  agentEnvironment,
  agentProgram,
  buildAgent,
  startAgentProcess,
} from "./processes/agent-program.ts";
export {
  connectExternalAgent,
  connectWithToken,
  readAgentToken,
  reportSshConnection,
} from "./processes/external-agent.ts";
export type { ExternalAgent } from "./processes/external-agent.ts";
export { buildGoProgram } from "./go-program.ts";
export { castNames } from "./hostile/casts.ts";
export type { CastName, HostileOutcome, Interval } from "./hostile/options.ts";
export { runHostile } from "./hostile/run-hostile.ts";
export { openRawAgent } from "./processes/raw-agent.ts";
export type { RawAgent, RawReply } from "./processes/raw-agent.ts";
export {
  startServerProcess,
  testAdmin,
  testPasswordHash,
  unlimitedWorkspaces,
} from "./processes/server-process.ts";
export type { ServerProcess, ServerProcessOptions } from "./processes/server-process.ts";
export { echoText, openReachedWorkspace } from "./processes/reached-workspace.ts";
export type { ReachedWorkspace } from "./processes/reached-workspace.ts";
export { ServerTurns } from "./processes/server-turns.ts";
export { isAlive } from "./is-alive.ts";
export { logIn, logInAsAdmin, openClient } from "./processes/log-in.ts";
export { packTemplate, pushTemplate, pushVersion } from "./processes/template-upload.ts";
export {
  firstAgent,
  makeWorkspace,
  removeWorkspace,
  requireAgent,
  waitForWorkspace,
} from "./processes/workspace-life.ts";
export { forwardRequest } from "./servers/forward-request.ts";
export { openLocalServer } from "./servers/local-server.ts";
export type { LocalServer } from "./servers/local-server.ts";
export { openSocketlessProxy } from "./servers/socketless-proxy.ts";
export type { SocketTreatment } from "./servers/socketless-proxy.ts";
export type { ProxyLink } from "./servers/proxy-link.ts";
export { TcpProxy } from "./servers/tcp-proxy.ts";
export type { ProxyTarget } from "./servers/tcp-proxy.ts";
