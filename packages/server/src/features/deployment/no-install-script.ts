interface Place {
  readonly version: string;
  readonly accessUrl: string;
  /** Releases of the stock command that work with this server, such as `v2.24 to v2.37`. */
  readonly stockVersions: string;
}

/**
 * Returns the script at `/install.sh`, to which a stock command sends people, of a server without downloads: it installs
 * nothing and says how to do it.
 */
export function noInstallScript({ version, accessUrl, stockVersions }: Place): string {
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
