import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  diffTemplateVersions,
  getTemplateVersion,
  getTemplateVersionLogs,
  listTemplateVersions,
} from "@slipway/api/templates/version-routes";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { Select } from "../../ui/field.tsx";
import { Facts, Panel, Skeleton } from "../../ui/layout.tsx";
import { Badge, Status } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { untrusted, untrustedLines, UntrustedText } from "../../ui/untrusted-text.tsx";
import { DiffView } from "./diff-view.tsx";
import { importState } from "./import-state.ts";
import { MissingVersion } from "./missing-version.tsx";
import { PromoteDialog } from "./promote-dialog.tsx";
import { useTemplate } from "./use-template.ts";

const route = getRouteApi("/member/framed/templates/$template/versions/$version");

export function VersionPage(): ReactNode {
  const { version: id } = route.useParams();
  const template = useTemplate();
  const { createTemplates } = useRights();
  const [isPromoting, setPromoting] = useState(false);
  const version = useQuery(routeQuery(getTemplateVersion, { params: { version: id } }));
  if (version.isError) return <FailureNotice error={version.error} missing={<MissingVersion />} />;
  if (version.data === undefined) return <Skeleton className="h-48 w-full" />;
  const { data } = version;
  const { tone, label, isUsable } = importState(data);
  const isActive = data.id === template.active_version_id;
  return (
    <>
      <Panel
        title={
          <span className="flex flex-wrap items-center gap-2">
            <UntrustedText>{data.name}</UntrustedText>
            {isActive && <Badge tone="good">active</Badge>}
            {data.archived && <Badge>archived</Badge>}
          </span>
        }
        actions={
          createTemplates && (
            <div className="flex gap-2">
              <Link
                to="/templates/$template/versions/$version/edit"
                params={{ template: template.name, version: data.id }}
                className={buttonClasses("secondary", "small")}
              >
                Edit
              </Link>
              <Button
                size="small"
                disabledReason={
                  isActive
                    ? "It is already active"
                    : isUsable
                      ? undefined
                      : "Its import did not succeed"
                }
                onClick={() => setPromoting(true)}
              >
                Promote…
              </Button>
            </div>
          )
        }
      >
        <Facts
          facts={[
            ["Message", <UntrustedText key="message">{data.message || "—"}</UntrustedText>],
            ["Created by", <UntrustedText key="by">{data.created_by.username}</UntrustedText>],
            ["Created", <Time key="at" time={data.created_at} />],
            [
              "Import",
              <Status key="import" tone={tone}>
                {label}
              </Status>,
            ],
          ]}
        />
        {data.job.error !== undefined && data.job.error !== "" && (
          <pre className="mt-3 overflow-x-auto rounded-md bg-bad-soft p-3 font-mono text-sm whitespace-pre-wrap wrap-anywhere text-bad">
            {untrustedLines(data.job.error)}
          </pre>
        )}
      </Panel>
      {createTemplates && <Difference version={data} />}
      <ImportLog versionId={id} />
      {isPromoting && <PromoteDialog version={data} onClose={() => setPromoting(false)} />}
    </>
  );
}

/** The changes to the definition since another version, by default the one before. */
function Difference({ version }: { readonly version: TemplateVersion }): ReactNode {
  const template = useTemplate();
  const { from } = route.useSearch();
  const navigate = route.useNavigate();
  const versions = useQuery(
    routeQuery(listTemplateVersions, {
      params: { template: template.id },
      query: { include_archived: "true" },
    }),
  );
  const others = versions.data
    ?.filter(({ id }) => id !== version.id)
    .toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
  const before = others?.find(({ created_at }) => created_at < version.created_at);
  const chosen = others?.find(({ id }) => id === from) ?? before;
  const diff = useQuery({
    ...routeQuery(diffTemplateVersions, {
      params: { version: version.id },
      query: { from: chosen?.id ?? "" },
    }),
    enabled: chosen !== undefined,
  });
  if (others === undefined) return <Skeleton className="h-32 w-full" />;
  if (chosen === undefined) {
    return (
      <Panel title="Changes">
        <p className="text-ink-soft">This is the first version.</p>
      </Panel>
    );
  }
  return (
    <Panel
      title="Changes"
      actions={
        <div className="w-64 max-w-full">
          <Select
            aria-label="Compare with"
            value={chosen.id}
            onValue={(id) =>
              void navigate({ search: id === before?.id ? {} : { from: id }, replace: true })
            }
          >
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                since {untrusted(name)}
              </option>
            ))}
          </Select>
        </div>
      }
      isFlush
    >
      {diff.isError && (
        <div className="p-4">
          <FailureNotice error={diff.error} />
        </div>
      )}
      {diff.isPending && <Skeleton className="m-4 h-24" />}
      {diff.data !== undefined && <DiffView diff={diff.data.diff} />}
    </Panel>
  );
}

function ImportLog({ versionId }: { readonly versionId: string }): ReactNode {
  const log = useQuery(routeQuery(getTemplateVersionLogs, { params: { version: versionId } }));
  const lines = log.data?.filter(({ output }) => output !== "") ?? [];
  if (lines.length === 0) return null;
  return (
    <Panel title="Import log" isFlush>
      <pre
        tabIndex={0}
        aria-label="Import log"
        className="max-h-96 overflow-auto bg-sunken p-4 font-mono text-sm whitespace-pre-wrap wrap-anywhere"
      >
        {lines.map(({ output }) => untrustedLines(output)).join("\n")}
      </pre>
    </Panel>
  );
}
