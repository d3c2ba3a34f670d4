import { getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { Pencil } from "lucide-react";
import type { ReactNode } from "react";

import { useRights } from "../../api/session.ts";
import { Missing } from "../../components/missing.tsx";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { PageHeader, Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Badge } from "../../ui/status.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { useTemplateQuery } from "./use-template.ts";

const route = getRouteApi("/member/framed/templates/$template");

/** The frame of the pages of one template. */
export function TemplateFrame(): ReactNode {
  const { template: name } = route.useParams();
  const { data: template, isError, error, refetch } = useTemplateQuery();
  const { createTemplates } = useRights();
  if (isError) {
    const missing = <MissingTemplate name={name} />;
    return <FailureNotice error={error} onRetry={() => void refetch()} missing={missing} />;
  }
  if (template === undefined) {
    return (
      <>
        <Skeleton className="h-8 w-48" />
        <Skeleton className="h-64 w-full" />
      </>
    );
  }
  const params = { template: template.name };
  return (
    <>
      <PageHeader
        title={
          <>
            <UntrustedText>{template.display_name || template.name}</UntrustedText>{" "}
            {template.deprecated && <Badge tone="warn">deprecated</Badge>}
          </>
        }
        actions={
          createTemplates ? (
            <Link
              to="/templates/$template/versions/$version/edit"
              params={{ ...params, version: template.active_version_id }}
              className={buttonClasses()}
            >
              <Pencil aria-hidden size={14} />
              Edit
            </Link>
          ) : (
            <Button
              icon={<Pencil aria-hidden size={14} />}
              disabledReason="Only owners and template admins can change templates"
            >
              Edit
            </Button>
          )
        }
      >
        <UntrustedText>{template.description}</UntrustedText>
      </PageHeader>
      {template.deprecated && (
        <Notice
          tone="warn"
          title="This template is deprecated: no new workspaces can be created from it."
        >
          <UntrustedText>{template.deprecation_message}</UntrustedText>
        </Notice>
      )}
      <Tabs
        label="Template"
        tabs={[
          {
            label: "Overview",
            link: { to: "/templates/$template", params, activeOptions: { exact: true } },
          },
          { label: "Versions", link: { to: "/templates/$template/versions", params } },
          { label: "Settings", link: { to: "/templates/$template/settings", params } },
        ]}
      />
      <Outlet />
    </>
  );
}

function MissingTemplate({ name }: { readonly name: string }): ReactNode {
  return (
    <Missing
      isPage
      title={`There is no template ${untrusted(name)}`}
      action={
        <Link to="/templates" className={buttonClasses("primary")}>
          All templates
        </Link>
      }
    />
  );
}
