import { createHash } from "node:crypto";

import type {
  AppHealth,
  OpenIn as OpenInName,
  SharingLevel as SharingLevelName,
} from "@slipway/api/agents/app";
import { countText } from "@slipway/runtime";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  type CreateSubAgentRequest_App as App,
  CreateSubAgentRequest_App_OpenIn as OpenIn,
  CreateSubAgentRequest_App_SharingLevel as SharingLevel,
  type CreateSubAgentResponse_AppCreationErrorSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";

import { storableText } from "../../../platform/fields/storable-text.ts";
import { agentLimits, maxSubAgentAppText } from "../calls/limits.ts";

/** The row of a valid app, by the names of the columns. */
export interface CheckedApp {
  readonly position: number;
  readonly slug: string;
  readonly display_name: string;
  readonly url: string;
  readonly command: string;
  readonly icon: string;
  readonly external: boolean;
  readonly subdomain: boolean;
  readonly sharing_level: SharingLevelName;
  readonly healthcheck_url: string;
  readonly healthcheck_interval_seconds: number;
  readonly healthcheck_threshold: number;
  readonly health: AppHealth;
  readonly app_group: string;
  readonly hidden: boolean;
  readonly open_in: OpenInName;
}

type AppError = MessageInitShape<typeof CreateSubAgentResponse_AppCreationErrorSchema>;

interface CheckedApps {
  readonly apps: readonly CheckedApp[];
  readonly errors: readonly AppError[];
}

const slugForm = /^[a-z0-9](-?[a-z0-9])*$/;
const limits = agentLimits["coder.agent.v2.CreateSubAgentRequest.App"];
const maxSlugLength = limits.slug.kept;
const maxHealthUrlLength =
  agentLimits["coder.agent.v2.CreateSubAgentRequest.App.Healthcheck"].url.kept;

const sharingLevels: ReadonlyMap<number, SharingLevelName> = new Map([
  [SharingLevel.OWNER, "owner"],
  [SharingLevel.AUTHENTICATED, "authenticated"],
  [SharingLevel.PUBLIC, "public"],
  [SharingLevel.ORGANIZATION, "organization"],
]);
const openIns: ReadonlyMap<number, OpenInName> = new Map([
  [OpenIn.SLIM_WINDOW, "slim-window"],
  [OpenIn.TAB, "tab"],
]);

/**
 * Checks the apps of a new sub-agent. Invalid ones are reported, the others are kept (docs/protocol/rpc.md §7.12).
 */
export function checkApps(agentName: string, apps: readonly App[]): CheckedApps {
  const slugs = new Set<string>();
  const kept: CheckedApp[] = [];
  const errors: AppError[] = [];
  let textLeft = maxSubAgentAppText;
  for (const [index, app] of apps.entries()) {
    const problem = slugs.has(app.slug)
      ? { field: "slug", error: `slug ${quote(app.slug)} is used twice` }
      : problemOf(app);
    slugs.add(app.slug);
    if (problem !== undefined) {
      errors.push({ index, ...problem });
      continue;
    }
    const stored = storedApp(agentName, app, index);
    const bytes = textBytes(stored);
    if (bytes > textLeft) {
      const error = `the apps of a sub-agent may have ${maxSubAgentAppText} bytes of text in all`;
      errors.push({ index, error });
      continue;
    }
    textLeft -= bytes;
    kept.push(stored);
  }
  return { apps: kept, errors };
}

function textBytes(app: CheckedApp): number {
  const texts = Object.values(app).filter((value) => typeof value === "string");
  return texts.reduce((sum, value) => sum + Buffer.byteLength(value), 0);
}

function problemOf(app: App): { readonly field: string; readonly error: string } | undefined {
  if (app.slug.length > maxSlugLength || !slugForm.test(app.slug)) {
    return { field: "slug", error: `slug ${quote(app.slug)} does not match ${slugForm.source}` };
  }
  if (!sharingLevels.has(app.share ?? SharingLevel.OWNER)) {
    return { field: "share", error: `unknown sharing level ${app.share}` };
  }
  if (!openIns.has(app.openIn ?? OpenIn.SLIM_WINDOW)) {
    return { field: "open_in", error: `unknown way to open ${app.openIn}` };
  }
  const texts = [
    ["command", app.command, limits.command.kept],
    ["display_name", app.displayName, limits.display_name.kept],
    ["group", app.group, limits.group.kept],
    ["icon", app.icon, limits.icon.kept],
    ["url", app.url, limits.url.kept],
    ["healthcheck", app.healthcheck?.url, maxHealthUrlLength],
  ] as const;
  const long = texts.find(([, text = "", limit]) => text.length > limit);
  if (long === undefined) return undefined;
  const [field, text = "", limit] = long;
  return { field, error: `${countText(text.length, "character")}, at most ${limit} are taken` };
}

function storedApp(agentName: string, app: App, index: number): CheckedApp {
  const healthUrl = storableText(app.healthcheck?.url ?? "");
  return {
    position: app.order ?? index,
    slug: storedSlug(agentName, app.slug),
    display_name: storableText(app.displayName ?? ""),
    url: storableText(app.url ?? ""),
    command: storableText(app.command ?? ""),
    icon: storableText(app.icon ?? ""),
    external: app.external ?? false,
    subdomain: app.subdomain ?? false,
    sharing_level: sharingLevels.get(app.share ?? SharingLevel.OWNER) ?? "owner",
    healthcheck_url: healthUrl,
    healthcheck_interval_seconds: Math.max(0, app.healthcheck?.interval ?? 0),
    healthcheck_threshold: Math.max(0, app.healthcheck?.threshold ?? 0),
    health: healthUrl === "" ? "disabled" : "initializing",
    app_group: storableText(app.group ?? ""),
    hidden: app.hidden ?? false,
    open_in: openIns.get(app.openIn ?? OpenIn.SLIM_WINDOW) ?? "slim-window",
  };
}

const slugHashLength = 8;

/** Returns a slug that is unique among the sub-agents of a workspace. */
export function storedSlug(agentName: string, slug: string): string {
  const hash = createHash("sha256").update(`${agentName}/${slug}`).digest();
  return `${base32Hex(hash).slice(0, slugHashLength)}-${slug}`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, maxSlugLength));
}

const alphabet = "0123456789abcdefghijklmnopqrstuv";
const bitsPerDigit = 5;

/** Encodes bytes in base32hex (RFC 4648 section 7), lower case, without padding. */
export function base32Hex(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= bitsPerDigit; bits -= bitsPerDigit) {
      text += alphabet[(held >> (bits - bitsPerDigit)) & 31];
    }
  }
  return bits === 0 ? text : text + alphabet[(held << (bitsPerDigit - bits)) & 31];
}
