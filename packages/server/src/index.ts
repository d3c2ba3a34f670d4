export { readSettings } from "./platform/config/settings.ts";
export type {
  AdminSettings,
  ListenAddress,
  Settings,
  SettingSource,
} from "./platform/config/settings.ts";
export { ConfigError } from "./platform/config/errors.ts";
export { StartError } from "./main/errors.ts";
export { runResetPassword } from "./main/reset-password.ts";
export type { ResetPasswordOptions } from "./main/reset-password.ts";
export { runRotateKey } from "./main/rotate-key.ts";
export type { RotateKeyOptions } from "./main/rotate-key.ts";
export { runServer } from "./main/run-server.ts";
export type { RunServerOptions } from "./main/run-server.ts";
export { createServer } from "./main/server.ts";
export type { Server, ServerOptions } from "./main/server.ts";
export { buildVersion, slipwayVersion } from "./main/version.ts";
export { openDatabase } from "./platform/db/database.ts";
export type { Database, DatabaseAddress } from "./platform/db/database.ts";
export { migrate } from "./platform/db/migrate.ts";
