import type { FastifyInstance, FastifyRequest } from "fastify";

import type { KeyHolders } from "../../platform/auth/service.ts";
import type { Dashboard } from "../../platform/http/dashboard.ts";
import { escapeHtml, htmlPage, sendPage } from "../../platform/http/html-page.ts";
import { encodeJson } from "../../platform/http/json.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { addDashboard } from "./dashboard-routes.ts";
import { addDocumentation, documentationPath } from "./documentation.ts";
import { addIcons } from "./icons.ts";
import { stockVersions } from "./routes.ts";

interface PageNeeds {
  readonly dashboard: Dashboard | undefined;
  readonly limits: RequestLimits;
  /** The version of this release, as people know it. */
  readonly version: string;
  readonly accessUrl: () => string;
  /** Finds the readers of the guides. */
  readonly holders: Pick<KeyHolders, "ofToken">;
  /** Returns the URL that a script leads back to. */
  readonly urlFor: (request: FastifyRequest) => string;
  /** Returns the script that installs the command; undefined if there is nothing to install. */
  readonly installScript: ((request: FastifyRequest) => string) | undefined;
}

/** Adds the pages outside the API for people and stock clients. */
export function addPages(
  app: FastifyInstance,
  { dashboard, limits, version, accessUrl, urlFor, installScript, holders }: PageNeeds,
): void {
  app.get("/", async (request, reply) => {
    limits.countPage("/", request, reply);
    reply.header("Vary", ["Origin", "Cookie", "Accept"]);
    const start = { version, accessUrl: accessUrl() };
    if (!wantsJson(request)) {
      return dashboard?.sendPage(request, reply) ?? sendPage(reply, 200, startPage(start));
    }
    return reply
      .type("application/json; charset=utf-8")
      .serializer(encodeJson)
      .send(startJson(start));
  });

  app.get("/install.sh", async (request, reply) => {
    limits.countPage("/install.sh", request, reply);
    return reply
      .headers({ "Cache-Control": "private, no-cache", Vary: "Host" })
      .type("text/plain; charset=utf-8")
      .serializer(String)
      .send(installScript?.(request) ?? noInstallScript({ version, accessUrl: urlFor(request) }));
  });

  if (dashboard !== undefined) addDashboard(app, { dashboard, limits });
  addDocumentation(app, { limits, holders, accessUrl });
  addIcons(app, limits);
}

function wantsJson({ headers: { accept = "" } }: FastifyRequest): boolean {
  return accept.includes("application/json") && !accept.includes("text/html");
}

interface Start {
  /** The version of this release, as people know it. */
  readonly version: string;
  readonly accessUrl: string;
}

const apiPath = "/api/v2/docs";
const logInPath = "/cli-auth";

/** Returns the page at `/` of a server without a dashboard: it identifies the server and links to more. */
function startPage({ version, accessUrl }: Start): string {
  const url = escapeHtml(accessUrl);
  return htmlPage(
    "Slipway",
    `<h1>Slipway</h1>
<p>A control plane for remote workspaces, version ${escapeHtml(version)}.</p>
<nav aria-label="Slipway">
<ul>
<li><a href="${logInPath}">Log in</a> to get a key for the command or an editor</li>
<li><a href="${documentationPath}">Documentation</a></li>
<li><a href="${apiPath}">API</a></li>
</ul>
</nav>
<p>On the command line: <code>slipway login ${url}</code></p>`,
  );
}

/** Returns the content of that page for programs. */
function startJson({ version, accessUrl }: Start): Readonly<Record<string, string>> {
  return {
    name: "Slipway",
    version,
    log_in_url: `${accessUrl}${logInPath}`,
    documentation_url: `${accessUrl}${documentationPath}`,
    api_url: `${accessUrl}${apiPath}`,
  };
}

interface Place {
  readonly version: string;
  readonly accessUrl: string;
}

/**
 * Returns the script at `/install.sh`, to which the stock command refers, on a server without downloads: it installs nothing
 * and explains how to.
 */
function noInstallScript({ version, accessUrl }: Place): string {
  // Between the quoted delimiters the shell expands nothing, and a URL has no line breaks.
  return `#!/bin/sh
# Tells how to install the command for a Slipway server. It changes nothing.
set -eu
cat >&2 <<'END_OF_TEXT'
Nothing was installed: this Slipway server (${version}) offers no downloads.

Install it from a clone of Slipway ${version}, with Node.js 20 or later:

    npm ci
    npm install --global ./packages/cli
    slipway login ${accessUrl}

Or use a coder command of ${stockVersions}:

    coder login ${accessUrl}
END_OF_TEXT
exit 1
`;
}
