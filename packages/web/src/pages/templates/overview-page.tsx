import { getTemplateUsers } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import {
  getTemplateVersion,
  listTemplateVersionPresets,
} from "@slipway/api/templates/version-routes";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { presetText, presetTitle } from "../../components/parameters/preset-text.ts";
import { useMask } from "../../components/parameters/version-parameters.ts";
import { Figures } from "../../ui/figures.tsx";
import { Panel, Skeleton } from "../../ui/layout.tsx";
import { Markdown } from "../../ui/markdown.tsx";
import { Badge } from "../../ui/status.tsx";
import { duration } from "../../ui/time-text.ts";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { usageBars } from "./usage-bars.ts";
import { useTemplate } from "./use-template.ts";

export function OverviewPage(): ReactNode {
  const template = useTemplate();
  return (
    <>
      <Numbers template={template} />
      <Usage templateId={template.id} />
      <Presets versionId={template.active_version_id} />
      <Readme versionId={template.active_version_id} />
    </>
  );
}

function Numbers({ template }: { readonly template: Template }): ReactNode {
  const workspaces = useQuery(
    routeQuery(listWorkspaces, { query: { q: `template:${template.name}`, limit: "1" } }),
  );
  const { P50: median, P95: slow } = template.build_time_stats.start;
  return (
    <Figures
      label="Numbers"
      figures={[
        { label: "Workspaces you can see", value: workspaces.data?.count ?? "—" },
        { label: "Users with a workspace", value: template.active_user_count },
        {
          label: "Start time",
          value: median === null ? "—" : duration(median),
          detail: slow === null ? "none so far" : `95% within ${duration(slow)}`,
        },
      ]}
    />
  );
}

function Usage({ templateId }: { readonly templateId: string }): ReactNode {
  const usage = useQuery(
    routeQuery(getTemplateUsers, {
      params: { template: templateId },
      query: { tz_offset: String(Math.round(-new Date().getTimezoneOffset() / 60)) },
    }),
  );
  const bars = usageBars(usage.data?.entries ?? []);
  const most = Math.max(0, ...bars.map(({ amount }) => amount));
  return (
    <Panel title="Users by day">
      {usage.isError && <FailureNotice error={usage.error} />}
      {usage.isPending && <Skeleton className="h-20 w-full" />}
      {usage.data !== undefined && most === 0 && (
        <p className="text-ink-soft">Nobody has used a workspace of this template yet.</p>
      )}
      {most > 0 && (
        <>
          <ol className="flex h-24 items-end gap-px sm:gap-1" aria-label="Users by day">
            {bars.map(({ date, amount, share }) => (
              <li
                key={date}
                title={`${date}: ${amount}`}
                className="flex h-full max-w-8 min-w-0 flex-1 items-end"
              >
                <div
                  className={`w-full rounded-sm ${amount === 0 ? "bg-line" : "bg-accent"}`}
                  style={{ height: `${Math.max(2, share * 100)}%` }}
                />
                <span className="sr-only">
                  {date}: {amount}
                </span>
              </li>
            ))}
          </ol>
          <p className="mt-2 flex flex-wrap justify-between gap-x-4 text-xs text-ink-faint tabular-nums">
            <span>Since {bars[0]?.date}</span>
            <span>{most} on the busiest day</span>
          </p>
        </>
      )}
    </Panel>
  );
}

function Presets({ versionId }: { readonly versionId: string }): ReactNode {
  const presets = useQuery(
    routeQuery(listTemplateVersionPresets, { params: { version: versionId } }),
  );
  const mask = useMask(versionId, []);
  if (presets.data === undefined || presets.data.length === 0) return null;
  return (
    <Panel title="Presets" isFlush>
      <ul>
        {presets.data.map((preset) => (
          <li key={preset.ID} className="border-b border-line px-4 py-2.5 last:border-b-0">
            <p className="flex flex-wrap items-center gap-2 font-medium">
              <UntrustedText>{presetTitle(preset)}</UntrustedText>
              {preset.Default && <Badge>default</Badge>}
              {(preset.DesiredPrebuildInstances ?? 0) > 0 && (
                <Badge tone="active">{preset.DesiredPrebuildInstances} prebuilt</Badge>
              )}
            </p>
            <p className="text-sm wrap-anywhere text-ink-soft">
              <UntrustedText>{presetText(preset, mask)}</UntrustedText>
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Readme({ versionId }: { readonly versionId: string }): ReactNode {
  const version = useQuery(routeQuery(getTemplateVersion, { params: { version: versionId } }));
  const text = version.data?.readme.trim() ?? "";
  if (text === "") return null;
  return (
    <Panel title="README">
      <div className="max-w-3xl">
        <Markdown>{text}</Markdown>
      </div>
    </Panel>
  );
}
