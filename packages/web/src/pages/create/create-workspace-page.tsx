import { listTemplates } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import {
  getTemplateVersion,
  listTemplateVersionPresets,
} from "@slipway/api/templates/version-routes";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { Missing } from "../../components/missing.tsx";
import { FailureNotice } from "../../components/page-failure.tsx";
import { buttonClasses } from "../../ui/button.tsx";
import { PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { CreateForm } from "./create-form.tsx";
import { readPrefill } from "./prefill.ts";

/** Creates a workspace from the template of the address, with what the address fills in. */
export function CreateWorkspacePage(): ReactNode {
  const { template: name = "", organization } = useParams({ strict: false });
  const templates = useQuery(routeQuery(listTemplates));
  const template = templates.data?.find(
    (one) =>
      (one.name === name || one.id === name) &&
      (organization === undefined || one.organization_name === organization),
  );
  if (templates.isError) {
    return <FailureNotice error={templates.error} onRetry={() => void templates.refetch()} />;
  }
  if (templates.isPending) return <FormSkeleton />;
  if (template === undefined) return <NoTemplate name={name} />;
  return <FromTemplate key={template.id} template={template} />;
}

function FromTemplate({ template }: { readonly template: Template }): ReactNode {
  const prefill = readPrefill(useSearch({ strict: false }));
  const version = prefill.version ?? template.active_version_id;
  const params = { version };
  const presets = useQuery(routeQuery(listTemplateVersionPresets, { params }));
  const versionName = useQuery(routeQuery(getTemplateVersion, { params }));
  const { display_name: displayName, name, deprecated, deprecation_message } = template;
  const isOther = version !== template.active_version_id;
  return (
    <>
      <PageHeader title="New workspace">
        From <UntrustedText>{displayName === "" ? name : displayName}</UntrustedText>, version{" "}
        <UntrustedText>{versionName.data?.name ?? "…"}</UntrustedText>
        {isOther && ", not the active one"} ·{" "}
        <Link to="/workspaces/new" className="underline">
          Choose another template
        </Link>
      </PageHeader>
      {deprecated && (
        <Notice tone="warn" title="This template is deprecated.">
          <UntrustedText>{deprecation_message}</UntrustedText>
        </Notice>
      )}
      {presets.isError && (
        <FailureNotice error={presets.error} onRetry={() => void presets.refetch()} />
      )}
      {presets.isPending && <FormSkeleton />}
      {presets.data !== undefined && (
        <CreateForm
          template={template}
          version={version}
          presets={presets.data}
          prefill={prefill}
        />
      )}
    </>
  );
}

function NoTemplate({ name }: { readonly name: string }): ReactNode {
  return (
    <>
      <PageHeader title="New workspace" />
      <Missing
        title={`There is no template ${untrusted(name)}`}
        action={
          <Link to="/workspaces/new" className={buttonClasses("primary")}>
            Choose a template
          </Link>
        }
      />
    </>
  );
}

function FormSkeleton(): ReactNode {
  return (
    <Panel>
      <div className="flex max-w-2xl flex-col gap-5">
        {["name", "preset", "parameters"].map((key) => (
          <div key={key} className="flex flex-col gap-2">
            <Skeleton className="h-4 w-32" />
            <Skeleton className="h-8 w-full" />
          </div>
        ))}
      </div>
    </Panel>
  );
}
