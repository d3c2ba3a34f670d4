import { Link, Outlet } from "@tanstack/react-router";
import { Pencil } from "lucide-react";
import type { ReactNode } from "react";

import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { PageHeader, Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Badge } from "../../ui/status.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { useTemplateQuery } from "./use-template.ts";

/** The frame of the pages of one template. */
export function TemplateFrame(): ReactNode {
  const { data: template, isError, error, refetch } = useTemplateQuery();
  const { createTemplates } = useRights();
  if (isError) return <FailureNotice error={error} onRetry={() => void refetch()} />;
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
          title="This template is deprecated: no new workspaces are made from it."
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
