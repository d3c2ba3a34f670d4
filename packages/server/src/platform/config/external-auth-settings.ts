import { regexProblem } from "@slipway/template";

import { knownProviderTypes, type ProviderDefaults, providerDefaults } from "./known-providers.ts";
import {
  isProviderId,
  type NumberedForm,
  type NumberedReader,
  numberedReaders,
} from "./numbered-settings.ts";
import type { Report, SettingSource } from "./setting-source.ts";

/** The way in which the server proves to a provider which client it is. */
export type ClientAuth = "post" | "basic" | "assertion";

/** A provider of OAuth 2 tokens that users link to their accounts (docs/external-authentication.md). */
export interface ExternalAuthProvider {
  readonly id: string;
  readonly type: string;
  readonly displayName: string;
  readonly displayIcon: string;
  readonly clientId: string;
  /** Undefined for a public client, such as one of the device flow. */
  readonly clientSecret: string | undefined;
  readonly clientAuth: ClientAuth;
  /** Undefined for the device flow. */
  readonly authUrl: string | undefined;
  readonly tokenUrl: string;
  /** The address that answers whether a token is valid; undefined if every token counts as valid until it expires. */
  readonly validateUrl: string | undefined;
  /** The address that revokes tokens, by RFC 7009, or grants, by GitHub's API, for the type `github`. */
  readonly revokeUrl: string | undefined;
  /** The address of the device flow; undefined if users log in with a browser that returns here. */
  readonly deviceCodeUrl: string | undefined;
  readonly scopes: readonly string[];
  /** The expression for the addresses that its tokens are for; undefined if it is found by its id only. */
  readonly regex: string | undefined;
  readonly mayRefresh: boolean;
  /** Fields of the token response that agents get too. */
  readonly extraTokenKeys: readonly string[];
}

const keys = {
  ID: "name of the provider in URLs and commands (default: the type)",
  TYPE: "kind of provider: github, gitlab, gitea or another name",
  CLIENT_ID: "id of the OAuth application",
  CLIENT_SECRET: "secret of the OAuth application",
  CLIENT_AUTH: "how the secret is sent: post or basic",
  AUTH_URL: "page at which users log in",
  TOKEN_URL: "URL that exchanges codes and refresh tokens",
  VALIDATE_URL: "URL that tells whether a token is valid",
  REVOKE_URL: "URL that revokes tokens",
  DEVICE_FLOW: "let users log in by entering a code at the provider",
  DEVICE_CODE_URL: "URL at which the device flow begins",
  SCOPES: "scopes of the tokens",
  REGEX: "repository URLs to which the tokens apply",
  NO_REFRESH: "do not refresh tokens: users log in again once they expire",
  EXTRA_TOKEN_KEYS: "fields of the token response that programs also get",
  DISPLAY_NAME: "name that users see",
  DISPLAY_ICON: "path or URL of the icon",
} as const;
type Key = keyof typeof keys;

export const externalAuthForm = {
  prefixes: ["SLIPWAY_EXTERNAL_AUTH", "CODER_EXTERNAL_AUTH"],
  keys,
  max: 32,
  noun: "providers",
} as const satisfies NumberedForm<Key>;
const secretForm = /^(?:SLIPWAY|CODER)_EXTERNAL_AUTH_\d{1,3}_CLIENT_SECRET$/;

/** Returns whether a variable holds the secret of a provider. */
export function isProviderSecret(name: string): boolean {
  return secretForm.test(name);
}

/** Reads the numbered providers; a setting of `SLIPWAY_…` takes precedence over the same one of `CODER_…`. */
export function readExternalAuth(
  source: SettingSource,
  report: Report,
): readonly ExternalAuthProvider[] {
  const providers: ExternalAuthProvider[] = [];
  for (const reader of numberedReaders(externalAuthForm, source, report)) {
    const provider = readProvider(reader);
    if (provider === undefined) continue;
    if (providers.some(({ id }) => id === provider.id)) {
      reader.report("ID", "an id that no other provider has");
    } else providers.push(provider);
  }
  return providers;
}

type ProviderReader = NumberedReader<Key>;

function readProvider(reader: ProviderReader): ExternalAuthProvider | undefined {
  const type = readName(reader, "TYPE", undefined);
  const id = readName(reader, "ID", type);
  const authUrl = reader.url("AUTH_URL");
  const defaults = providerDefaults(type ?? "", authUrl);
  const clientId = reader.text("CLIENT_ID") ?? reader.report("CLIENT_ID", "the id of a client");
  const isDevice = reader.isTrue("DEVICE_FLOW");
  const identity = readClient(reader, type ?? "", isDevice);
  const revokeUrl = defaultRevokeUrl(defaults, clientId, identity.clientSecret);
  const urls = readUrls(reader, { isDevice, defaults: { ...defaults, revokeUrl }, authUrl });
  const rest = {
    displayName: reader.text("DISPLAY_NAME") ?? (defaults.displayName || (id ?? "")),
    displayIcon: reader.text("DISPLAY_ICON") ?? defaults.displayIcon,
    ...identity,
    scopes: reader.list("SCOPES", defaults.scopes),
    regex: readRegex(reader, defaults.regex),
    mayRefresh: !reader.isTrue("NO_REFRESH"),
    extraTokenKeys: reader.list("EXTRA_TOKEN_KEYS", []),
  };
  if (reader.hasProblem || type === undefined || id === undefined) return undefined;
  return clientId === undefined || urls === undefined
    ? undefined
    : { id, type, clientId, ...urls, ...rest };
}

/** Returns the usual address with the client's id; undefined if the provider requires a secret that is not set. */
function defaultRevokeUrl(
  { revokeUrl }: ProviderDefaults,
  clientId: string | undefined,
  clientSecret: string | undefined,
): string | undefined {
  const place = "{client_id}";
  if (revokeUrl?.includes(place) !== true) return revokeUrl;
  if (clientId === undefined || clientSecret === undefined) return undefined;
  return revokeUrl.replace(place, () => encodeURIComponent(clientId));
}

function readName(
  reader: ProviderReader,
  key: "ID" | "TYPE",
  fallback: string | undefined,
): string | undefined {
  const text = reader.text(key) ?? fallback;
  if (text !== undefined && isProviderId(text)) return text;
  if (key === "TYPE" || text !== undefined) {
    const known = key === "TYPE" ? `${knownProviderTypes.join(", ")}, or another name` : "a name";
    reader.report(key, `${known} of letters, digits and single dashes`);
  }
  return undefined;
}

interface UrlContext {
  readonly isDevice: boolean;
  readonly defaults: ProviderDefaults;
  readonly authUrl: string | undefined;
}

type Urls = Pick<
  ExternalAuthProvider,
  "authUrl" | "tokenUrl" | "validateUrl" | "revokeUrl" | "deviceCodeUrl"
>;

function readUrls(
  reader: ProviderReader,
  { isDevice, defaults, authUrl }: UrlContext,
): Urls | undefined {
  const login = authUrl ?? defaults.authUrl;
  const tokenUrl = reader.url("TOKEN_URL") ?? defaults.tokenUrl;
  const deviceCodeUrl = reader.url("DEVICE_CODE_URL") ?? defaults.deviceCodeUrl;
  if (isDevice && deviceCodeUrl === undefined) {
    reader.report("DEVICE_CODE_URL", "the URL at which the device flow begins");
  }
  if (!isDevice && login === undefined) reader.report("AUTH_URL", "the URL of the login page");
  if (tokenUrl === undefined) return reader.report("TOKEN_URL", "the URL that exchanges codes");
  return {
    authUrl: isDevice ? undefined : login,
    tokenUrl,
    validateUrl: reader.url("VALIDATE_URL") ?? defaults.validateUrl,
    revokeUrl: reader.url("REVOKE_URL") ?? defaults.revokeUrl,
    deviceCodeUrl: isDevice ? deviceCodeUrl : undefined,
  };
}

function readClient(
  reader: ProviderReader,
  type: string,
  isDevice: boolean,
): Pick<ExternalAuthProvider, "clientSecret" | "clientAuth"> {
  const clientSecret = reader.text("CLIENT_SECRET");
  if (clientSecret === undefined && !isDevice && !reader.hasProblem) {
    reader.report("CLIENT_SECRET", "the secret of the client");
  }
  const usual = type.startsWith("bitbucket") ? "basic" : "post";
  return {
    clientSecret,
    clientAuth:
      type === "azure-devops"
        ? "assertion"
        : reader.choice("CLIENT_AUTH", ["post", "basic"], usual),
  };
}

/** Reads an expression of RE2, which takes linear time and is bounded in size. */
function readRegex(reader: ProviderReader, fallback: string | undefined): string | undefined {
  const text = reader.text("REGEX");
  if (text === undefined) return fallback;
  const problem = regexProblem(text);
  return problem === undefined
    ? text
    : reader.report("REGEX", `a regular expression of RE2 (${problem})`);
}
