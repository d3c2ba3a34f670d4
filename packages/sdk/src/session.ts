export { firstVariable, processEnvironment } from "./config/environment.ts";
export type { Environment } from "./config/environment.ts";
export { SessionFiles } from "./config/session-files.ts";
export type { StoredSession } from "./config/session-files.ts";
export { configDirectory, findSession, readServerUrl } from "./config/stored-session.ts";
export type { FoundSession, GivenSession } from "./config/stored-session.ts";
