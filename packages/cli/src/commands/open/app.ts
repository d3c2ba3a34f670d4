import {
  type AppPlace,
  appUrl,
  isCommandApp,
  primaryRegion,
} from "@slipway/api/workspaces/app-url";
import { shellWord } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { type OpenableUrl, readOpenableUrl } from "../../command/url-opener.ts";
import { findRegion } from "../../resources/applications/find-region.ts";
import {
  type AgentApp,
  appColumns,
  appsOf,
  chooseApp,
} from "../../resources/applications/workspace-apps.ts";
import { agentArgument, readAgentReference } from "../../resources/network/agent-reference.ts";
import { runningWorkspace } from "../../resources/network/running-workspace.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";
import { renderColumns } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "open an app of a workspace in the browser",
  description:
    "Print the URL of an app and open it in the browser, or in the editor that it belongs to. Without an app, list " +
    "those of the workspace. Where there is no browser, only the URL is printed.",
  arguments: {
    workspace: agentArgument,
    app: { summary: "slug of the app (default: list all)", required: false },
  },
  flags: {
    noOpen: { kind: "switch", summary: "only print the URL" },
    region: {
      kind: "text",
      value: "name",
      variable: "CODER_OPEN_APP_REGION",
      summary: `region that serves the app (default: ${primaryRegion})`,
    },
  },
  examples: [
    { line: "slipway open app demo", summary: "list the apps, their health and their URLs" },
    { line: "slipway open app demo code-server", summary: "open one" },
    { line: "slipway open app ada/demo.main docs --no-open", summary: "print the URL of one" },
  ],
});

type RunNeeds = Pick<Needs, "terminal" | "settings" | "clock" | "opener" | "signal">;

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, opener, signal }: RunNeeds,
): Promise<number> {
  const reference = readAgentReference(options.workspace);
  const client = connect(settings);
  const needs = { client, terminal, clock, signal };
  const workspace = await runningWorkspace(reference.workspace, { autostart: false }, needs);
  const region = await findRegion(client, options.region ?? primaryRegion, signal);
  const place = { workspace, region };
  const { out, err } = terminal;
  if (options.app === undefined) {
    listApps(appsOf(workspace, reference.agent), place, terminal);
    return exitCodes.ok;
  }
  const found = chooseApp(workspace, reference.agent, options.app);
  const url = requireUrl(found, place);
  const { href } = url;
  if (found.app.health === "unhealthy") {
    err.line(err.colors.yellow(`app ${found.app.slug} is unhealthy: it may not answer`));
  }
  out.line(href);
  if (options.noOpen) return exitCodes.ok;
  if (href.includes(tokenPlaceholder)) {
    err.line(err.colors.yellow(`not opened: replace ${tokenPlaceholder} with a token of yours`));
    return exitCodes.ok;
  }
  if (opener.obstacle === undefined) await opener.open(url, signal);
  else err.line(`not opened: ${opener.obstacle}`);
  return exitCodes.ok;
}

/** The placeholder of a session token in the URL of an external app. A template does not get one. */
const tokenPlaceholder = "$SESSION_TOKEN";

function listApps(
  apps: readonly AgentApp[],
  place: AppPlace,
  { out, err }: Pick<Needs["terminal"], "out" | "err">,
): void {
  const { workspace } = place;
  if (apps.length === 0) return err.line(`workspace ${fullName(workspace)} has no apps`);
  const columns = appColumns(place, out.colors);
  const names = ["app", "name", "agent", "health", "shared", "url"] as const;
  for (const line of renderColumns(columns, names, apps, out)) out.line(line);
}

/** Returns the URL of an app. Throws `CommandError` for an app that cannot be opened by a URL. */
function requireUrl({ app, agentName }: AgentApp, place: AppPlace): OpenableUrl {
  if (isCommandApp(app)) {
    const { owner_name: owner, name: workspace } = place.workspace;
    const name = `${owner}/${workspace}.${agentName}`;
    throw new CommandError(`app ${app.slug} is a command in a terminal, not a page`, {
      hint: `run it with: slipway ssh -t ${shellWord(name)} -- ${shellWord(app.command ?? "")}`,
    });
  }
  const text = appUrl(app, agentName, place);
  if (text === undefined) {
    throw new CommandError(`app ${app.slug} needs its own host name, and the server has none`, {
      hint: "an administrator can set SLIPWAY_WILDCARD_ACCESS_URL",
    });
  }
  const url = readOpenableUrl(text);
  if (url !== undefined) return url;
  throw new CommandError(
    `app ${app.slug} has the URL "${text}", wanted one of http, https or an editor`,
  );
}
