import { escapeHtml, htmlPage } from "../../platform/http/html-page.ts";
import { documentationPath } from "./documentation.ts";

interface Start {
  /** The version of this release, as people know it. */
  readonly version: string;
  readonly accessUrl: string;
}

const apiPath = "/api/v2/docs";
const logInPath = "/cli-auth";

/** Returns the page at `/`: it identifies this server and links to more. */
export function startPage({ version, accessUrl }: Start): string {
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

/** Returns the same for programs. */
export function startJson({ version, accessUrl }: Start): Readonly<Record<string, string>> {
  return {
    name: "Slipway",
    version,
    log_in_url: `${accessUrl}${logInPath}`,
    documentation_url: `${accessUrl}${documentationPath}`,
    api_url: `${accessUrl}${apiPath}`,
  };
}
