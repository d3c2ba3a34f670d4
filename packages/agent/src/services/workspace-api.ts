import type { Service } from "../connections/accepted-connection.ts";
import type { ContainerFeature } from "../containers/container-feature.ts";
import { containerRoutes } from "../containers/container-routes.ts";
import { createApiService } from "../http/api-service.ts";
import { baseRoutes, type BaseRoutesOptions } from "../http/base-routes.ts";
import { connectionRoutes, type ConnectionRoutesOptions } from "../http/connection-routes.ts";
import { fileRoutes } from "../http/files/file-routes.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { processRoutes } from "../runs/process-routes.ts";
import { runRoutes } from "../runs/run-routes.ts";
import { Runs, type RunsNeeds } from "../runs/runs.ts";

export interface WorkspaceApiOptions
  extends
    Pick<RunsNeeds, "prepare" | "commands" | "dataDir" | "logger">,
    Pick<BaseRoutesOptions, "home" | "ownPorts" | "netcheck" | "clock">,
    Pick<ConnectionRoutesOptions, "ping"> {
  readonly containers: ContainerFeature;
  readonly settings: { readonly blockFileTransfer: boolean };
}

/** The HTTP API of an agent, and the runs that it starts. */
export interface WorkspaceApi {
  readonly service: Service;
  readonly runs: Runs;
}

/** The parts that the API shares with the other services. */
interface ApiParts
  extends Pick<RunsNeeds, "descriptors">, Pick<ConnectionRoutesOptions, "sessions"> {
  readonly signal: AbortSignal;
}

/** Opens the HTTP API, which ends with the signal; the caller closes the runs. */
export function openWorkspaceApi(
  options: WorkspaceApiOptions,
  { descriptors, sessions, signal }: ApiParts,
): WorkspaceApi {
  const { home, clock, ping, commands, settings, containers, logger } = options;
  const prepare = (text: string): Promise<PreparedCommand> => options.prepare(text, {});
  const runs = new Runs({ ...options, descriptors });
  const routes = [
    ...baseRoutes(options),
    ...connectionRoutes({ sessions, ping, clock }),
    ...fileRoutes({ home, prepare, commands, isBlocked: settings.blockFileTransfer }),
    ...containerRoutes(containers),
    ...runRoutes({ runs, clock }),
    ...processRoutes({ runs, clock }),
  ];
  return { service: createApiService({ routes, logger, signal }), runs };
}
