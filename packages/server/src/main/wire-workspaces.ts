import type { Driver } from "@slipway/drivers";

import { addBuildRoutes } from "../features/builds/routes.ts";
import { addClaimRoutes } from "../features/claims/routes.ts";
import type { Metrics } from "../features/deployment/metrics.ts";
import type { ExternalAuthNeeds } from "../features/external-auth/service.ts";
import { addFileRoutes } from "../features/files/routes.ts";
import { defaultReconciler } from "../features/prebuilds/reconcile/reconciler.ts";
import { addPrebuildRoutes } from "../features/prebuilds/routes.ts";
import type { ParameterReader } from "../features/templates/parameter-service.ts";
import { addTemplateRoutes } from "../features/templates/routes.ts";
import { addWorkspaceRoutes } from "../features/workspaces/routes.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import type { JobLogPart } from "../platform/jobs/log-stream.ts";
import type { Platform } from "../platform/platform.ts";
import { GatheredReads } from "../platform/pubsub/gathered-reads.ts";
import type { LocalHints } from "../platform/pubsub/pubsub.ts";
import type { Site } from "./open-http.ts";

interface WorkspaceParts {
  readonly localHints: LocalHints;
  readonly secrets: SecretBox;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly claimSeconds: Metrics["claimSeconds"];
  readonly externalAuth: ExternalAuthNeeds;
  readonly parameters: ParameterReader;
}

/** Adds the routes for templates, workspaces, and pools of workspaces. */
export function wireWorkspaces(
  { routes, settings: { limits }, accessUrl }: Site,
  platform: Platform,
  { localHints, secrets, drivers, claimSeconds, parameters, ...parts }: WorkspaceParts,
): void {
  const { db } = platform;
  const logs = { ...platform, jobLogReads: new GatheredReads<JobLogPart>() };
  addFileRoutes(routes, { db, limits });
  const externalAuth = { ...parts.externalAuth, accessUrl };
  addTemplateRoutes(routes, { ...logs, drivers, limits, externalAuth, parameters });
  addBuildRoutes(routes, { ...logs, secrets, drivers });
  const workspaces = { ...platform, limits };
  addWorkspaceRoutes(routes, { ...workspaces, secrets, drivers, parameters });
  const claims = { ...workspaces, localHints, secrets, drivers, claimSeconds };
  addClaimRoutes(routes, { ...claims, externalAuth, parameters });
  addPrebuildRoutes(routes, { db, limits: defaultReconciler });
}
